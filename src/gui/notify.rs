//! Notifications of the desktop.

/// Says something on the desktop: a title and a sentence.
pub(crate) type Notifier = Box<dyn Fn(&str, &str)>;

/// The desktop's notifications; silent where it has none.
pub(crate) fn desktop() -> Notifier {
    Box::new(|title, text| {
        let (title, text) = (title.to_owned(), text.to_owned());
        // A desktop that does not answer is not waited for, and one without the service keeps the message in the window.
        let tell = move || {
            let _ = tell(&title, &text);
        };
        let _ = std::thread::Builder::new().name("gui-notify".to_owned()).spawn(tell);
    })
}

/// `org.freedesktop.Notifications`, as all desktops of Linux have it.
#[cfg(target_os = "linux")]
fn tell(title: &str, text: &str) -> zbus::Result<()> {
    let connection = zbus::blocking::Connection::session()?;
    let service = "org.freedesktop.Notifications";
    let desktop =
        zbus::blocking::Proxy::new(&connection, service, "/org/freedesktop/Notifications", service)?;
    let (actions, hints) =
        (Vec::<&str>::new(), std::collections::HashMap::<&str, zbus::zvariant::Value<'_>>::new());
    // The text may be read as markup there.
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let body = ("Fyris", 0_u32, "fyris", title, text.as_str(), actions, hints, -1_i32);
    let _: u32 = desktop.call("Notify", &body)?;
    Ok(())
}

/// Elsewhere the window alone asks for attention.
#[cfg(not(target_os = "linux"))]
fn tell(_: &str, _: &str) -> Result<(), std::convert::Infallible> {
    Ok(())
}
