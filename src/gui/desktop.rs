//! Whether the desktop is light or dark, where the window system does not tell.

/// The colours that the desktop is set to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Dark text on light ground.
    Light,
    /// Light text on dark ground.
    Dark,
}

/// Calls back with the desktop's colours now and whenever they change; never where the window system tells itself.
pub(crate) fn watch(told: impl Fn(Scheme) + Send + 'static) {
    #[cfg(target_os = "linux")]
    portal::watch(told);
    #[cfg(not(target_os = "linux"))]
    drop(told);
}

/// The desktop portal's `org.freedesktop.appearance color-scheme`.
#[cfg(target_os = "linux")]
mod portal {
    use super::Scheme;

    const SPACE: &str = "org.freedesktop.appearance";
    const KEY: &str = "color-scheme";

    pub(super) fn watch(told: impl Fn(Scheme) + Send + 'static) {
        let listen = move || {
            // A desktop without the service keeps the window's own choice.
            let _ = listen(&told);
        };
        let _ = std::thread::Builder::new().name("gui-desktop".to_owned()).spawn(listen);
    }

    fn listen(told: &dyn Fn(Scheme)) -> zbus::Result<()> {
        let connection = zbus::blocking::Connection::session()?;
        let portal = zbus::blocking::Proxy::new(
            &connection,
            "org.freedesktop.portal.Desktop",
            "/org/freedesktop/portal/desktop",
            "org.freedesktop.portal.Settings",
        )?;
        // Subscribed before the first question, so that no change falls between.
        let changes = portal.receive_signal("SettingChanged")?;
        let answer: zbus::zvariant::OwnedValue = portal.call("Read", &(SPACE, KEY))?;
        if let Some(scheme) = scheme(&answer) {
            told(scheme);
        }
        for change in changes {
            let body = change.body();
            let Ok((space, key, value)) = body.deserialize::<(&str, &str, zbus::zvariant::Value<'_>)>()
            else {
                continue;
            };
            if space == SPACE
                && key == KEY
                && let Some(scheme) = scheme(&value)
            {
                told(scheme);
            }
        }
        Ok(())
    }

    /// 1 is dark, 2 is light, 0 no preference; `Read` wraps it twice.
    fn scheme(value: &zbus::zvariant::Value<'_>) -> Option<Scheme> {
        match value {
            zbus::zvariant::Value::Value(inner) => scheme(inner),
            zbus::zvariant::Value::U32(1) => Some(Scheme::Dark),
            zbus::zvariant::Value::U32(2) => Some(Scheme::Light),
            _ => None,
        }
    }
}
