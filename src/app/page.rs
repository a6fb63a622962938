//! The web page of this program's session: when it is there, where it answers, and the token that lets in.

use std::fs;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use tokio::sync::oneshot;
use tokio::time::sleep;

use crate::api::{Handle, Web};
use crate::app::say;
use crate::net::lan;
use crate::net::network::new_secret;
use crate::net::pages::Pages;
use crate::network::Secret;
use crate::store::write_private;
use crate::web::router;

/// How soon other settings take effect, and how often the first view is looked for.
const LOOK: Duration = Duration::from_secs(1);
const SOON: Duration = Duration::from_millis(20);
/// Bytes of the token's file; ours has 23.
const LONGEST: u64 = 1_024;

/// The page, for as long as this lives.
pub(super) struct Page {
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Page {
    /// Has the page be there whenever the session's settings say so. What goes wrong with it is said, and ends nothing else.
    pub(super) fn start(handle: Handle, state: &Path, unattended: bool) -> io::Result<Self> {
        let (end, ended) = oneshot::channel();
        let keeper = Keeper { handle, state: state.to_owned(), unattended, told: None };
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().thread_name("page").build()?;
        let thread = Builder::new().name("web".into()).spawn(move || {
            runtime.block_on(keeper.keep(ended));
            // Whoever waits for the session's answer there waits for nobody.
            runtime.shutdown_background();
        })?;
        Ok(Self { end: Some(end), thread: Some(thread) })
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // It has nothing to tell.
            _ = thread.join();
        }
    }
}

struct Keeper {
    handle: Handle,
    state: PathBuf,
    unattended: bool,
    /// The address that was printed.
    told: Option<String>,
}

impl Keeper {
    async fn keep(mut self, mut ended: oneshot::Receiver<()>) {
        let mut wanted = None;
        let mut pages: Option<Pages> = None;
        loop {
            let view = self.handle.view();
            // Before the first view nobody knows the settings.
            let settings = (view.generation > 0).then(|| as_served(&view.settings.web, self.unattended));
            if let Some(settings) = settings
                && wanted.as_ref() != Some(&settings)
            {
                self.close(pages.take()).await;
                if let Some(web) = &settings {
                    pages = self.open(web).await.inspect_err(|error| say::note(format!("{error:#}"))).ok();
                }
                wanted = Some(settings);
            }
            tokio::select! {
                _ = &mut ended => break,
                () = sleep(if wanted.is_some() { LOOK } else { SOON }) => {}
            }
        }
        self.close(pages).await;
    }

    async fn close(&self, pages: Option<Pages>) {
        if let Some(pages) = pages {
            pages.stop().await;
            // It may never have been written.
            _ = fs::remove_file(self.address());
        }
    }

    /// The file with the address.
    fn address(&self) -> PathBuf {
        self.state.join("web-address")
    }

    async fn open(&mut self, web: &Web) -> Result<Pages> {
        let token = token(&self.state).context("there is no web page")?;
        let listen = web.listen.unwrap_or((Ipv4Addr::LOCALHOST, Web::PORT).into());
        let router = router(self.handle.clone(), token, &web.names);
        let pages = Pages::start(listen, router)
            .await
            .with_context(|| format!("there is no web page, for {listen} cannot be listened at"))?;
        let address = format!("http://{}/#token={}", shown(pages.addr()), token.to_bearer());
        if self.told.as_ref() != Some(&address) {
            say::out(format_args!("web page {address}"));
            self.told = Some(address.clone());
        }
        // For those who see no terminal; without it the page is there all the same.
        if let Err(error) = write_private(&self.address(), format!("{address}\n").as_bytes()) {
            tracing::warn!("{}: {error}", self.address().display());
        }
        if web.is_open() {
            tracing::warn!(
                "other computers reach the web page, and nothing is encrypted on the way: whoever listens there learns the token"
            );
        }
        Ok(pages)
    }
}

/// What decides how it is served; nothing where it is not.
fn as_served(web: &Web, unattended: bool) -> Option<Web> {
    web.is_there(unattended).then(|| Web { folders: Vec::new(), ..web.clone() })
}

/// The address for a browser.
fn shown(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        let ip = lan::addresses().first().copied().unwrap_or(Ipv4Addr::LOCALHOST.into());
        return SocketAddr::new(ip, addr.port());
    }
    addr
}

/// The token of a state folder, the same in every run.
fn token(state: &Path) -> Result<Secret> {
    let path = state.join("web-token");
    let found = match fs::metadata(&path) {
        Ok(about) if about.len() > LONGEST => String::new(),
        Ok(_) => fs::read_to_string(&path).with_context(|| path.display().to_string())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let token = new_secret()?;
            let line = format!("{}\n", token.to_bearer());
            write_private(&path, line.as_bytes()).with_context(|| path.display().to_string())?;
            return Ok(token);
        }
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    match Secret::from_bearer(found.trim()) {
        Some(token) => Ok(token),
        None => bail!("{}: this is no token; remove it to get a new one", path.display()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::WebPage;

    #[test]
    fn the_token_stays_the_same_and_is_the_users_alone() {
        let state = tempfile::tempdir().expect("a folder");
        let first = token(state.path()).expect("a token");
        assert!(token(state.path()).expect("a token") == first);
        let path = state.path().join("web-token");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        }
        for damage in ["", "abc", &"a".repeat(5_000)] {
            fs::write(&path, damage).expect("a file");
            let error = token(state.path()).expect_err("no token").to_string();
            assert!(error.contains("remove it"), "{error}");
        }
        fs::remove_file(&path).expect("a file");
        assert!(token(state.path()).expect("a token") != first, "each is another");
    }

    #[test]
    fn other_folders_need_no_other_page() {
        let web = Web { page: WebPage::Always, ..Web::default() };
        assert_eq!(as_served(&Web { folders: vec!["/a".into()], ..web.clone() }, false), Some(web.clone()));
        assert_eq!(as_served(&Web::default(), true), Some(Web::default()));
        assert_eq!(as_served(&Web::default(), false), None);
        assert_eq!(as_served(&Web { page: WebPage::Off, ..web }, true), None);
    }
}
