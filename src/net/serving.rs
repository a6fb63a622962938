//! What every server here does: accepts connections for as long as it lives, and hears out whom it refused.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// How long what a refused client still sends is read, and how much of it.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_BYTES: usize = 256 * 1024;
/// How long a fault of the system is waited out, such as too many open files.
const FAULT: Duration = Duration::from_millis(50);

/// Accepts connections for ever and runs what `serve` makes of each; where that is nothing, the connection closes. Those that
/// run end when this is dropped.
pub(super) async fn accept_all<F>(
    listener: &TcpListener,
    mut serve: impl FnMut(TcpStream, SocketAddr) -> Option<F>,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let mut connections = JoinSet::new();
    let mut failing = false;
    loop {
        let accepted = tokio::select! {
            biased;
            Some(_) = connections.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, addr)) => {
                failing = false;
                // Fails for a connection that is gone already.
                _ = stream.set_nodelay(true);
                if let Some(served) = serve(stream, addr) {
                    connections.spawn(served);
                }
            }
            Err(error) => {
                // Once is enough in a log.
                if !failing {
                    tracing::warn!(%error, "connections cannot be accepted");
                }
                failing = true;
                sleep(FAULT).await;
            }
        }
    }
}

/// Closes a connection on which more may be on its way: closing before that has come would take the last answer back, too.
pub(super) async fn close_gently<S: AsyncRead + AsyncWrite + Unpin>(stream: &mut S) {
    let drain = async {
        _ = stream.shutdown().await;
        let mut left = LINGER_BYTES;
        let mut junk = [0; 4096];
        while let Ok(read @ 1..) = stream.read(&mut junk).await {
            left = left.saturating_sub(read);
            if left == 0 {
                break;
            }
        }
    };
    _ = timeout(LINGER, drain).await;
}
