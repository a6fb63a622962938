//! One connection with a peer: a task that moves bytes between a socket and the engine, a batch at a time.
//!
//! Each turn of the task writes all that waits in vectored writes, reads once, and tells the engine what came in one post.
//!
//! - `near`: lines within a machine or a room

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use bytes::{BufMut, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};

use crate::base::ConnKey;
use crate::engine::{End, Input};
use crate::net::buffers::{Buffers, Size};
use crate::net::lan;
use crate::net::listen::{self, Listeners, Seats};
use crate::net::post::{Inbox, Post};
use crate::peer::{Conn, Item, Outbox};

/// How long a connection may take to come about.
const CONNECT: Duration = Duration::from_secs(12);
/// Chunks given to one write: a block and its head each, half a megabyte in all.
const SLICES: usize = 64;
/// Blocks are acknowledged when so many bytes of them are written, or all that waited.
const REPORT: u64 = 128 * 1024;
/// Reads in a row that bring little before the next buffer is smaller: small messages come between blocks.
const SHORT_READS: u8 = 8;
/// Small messages that wait for a peer that does not read; beyond it the peer is given up.
const OVERHEAD: usize = 4 * 1024 * 1024;

/// What the engine says on one connection, on its way to the connection's task.
#[derive(Debug, Default)]
pub(super) struct Line {
    said: Mutex<Said>,
    /// Both ends of a connection that was made to us: ours, and the other's address.
    ends: Option<(SocketAddr, IpAddr)>,
    /// Further ports that its peer may connect to.
    doors: OnceLock<Listeners>,
}

#[derive(Debug, Default)]
struct Said {
    items: Vec<Item>,
    closed: bool,
    waker: Option<Waker>,
}

impl Line {
    /// The line of a connection that was made to us.
    pub(super) fn to_us(stream: &TcpStream, from: SocketAddr) -> Self {
        let ends = stream.local_addr().ok().map(|here| (here, from.ip()));
        Self { ends, ..Self::default() }
    }

    /// Listens on so many further ports, for this connection's peer alone and until it ends; answers with where.
    ///
    /// # Errors
    /// Where the system gives none.
    pub(super) fn open_doors(
        &self,
        count: usize,
        seats: &Arc<Seats>,
        inbox: &Inbox,
    ) -> io::Result<&[SocketAddr]> {
        // Who came from another network through a router cannot come to an address of ours in here, nor need he know it.
        let can_come =
            |(here, peer): &(SocketAddr, IpAddr)| lan::is_private(*peer) || !lan::is_private(here.ip());
        let (here, peer) = self.ends.filter(can_come).ok_or(io::ErrorKind::AddrNotAvailable)?;
        let mut sockets = Vec::new();
        for _ in 0..count {
            sockets.extend(listen::open(Some(here.ip()), 0)?);
        }
        let doors = Listeners::serve(sockets, Some(peer), seats, inbox)?;
        Ok(self.doors.get_or_init(|| doors).addrs())
    }

    /// Says something, after what was said before.
    pub(super) fn say(&self, mut items: Vec<Item>) {
        let mut said = self.lock();
        if said.items.is_empty() {
            said.items = items;
        } else {
            said.items.append(&mut items);
        }
        Self::wake(said);
    }

    /// Ends the connection.
    pub(super) fn close(&self) {
        let mut said = self.lock();
        said.closed = true;
        Self::wake(said);
    }

    /// Takes what was said, and tells whether the connection is to end. Whoever asks is woken by more of it.
    fn hear(&self, cx: &mut Context<'_>, outbox: &mut Outbox) -> bool {
        let mut said = self.lock();
        let items = std::mem::take(&mut said.items);
        if !said.closed && said.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
            said.waker = Some(cx.waker().clone());
        }
        let closed = said.closed;
        drop(said);
        items.into_iter().for_each(|item| outbox.push(item));
        closed
    }

    /// Until the connection is to end.
    async fn closed(&self) {
        poll_fn(|cx| {
            let mut said = self.lock();
            if said.closed {
                return Poll::Ready(());
            }
            said.waker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }

    fn wake(mut said: MutexGuard<'_, Said>) {
        let waker = said.waker.take();
        drop(said);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Said> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Connects, and talks from then on.
pub(super) async fn connect(
    conn: ConnKey,
    addr: SocketAddr,
    bind: Option<IpAddr>,
    line: Arc<Line>,
    inbox: Inbox,
    buffers: Arc<Buffers>,
) {
    let stream = tokio::select! {
        stream = tokio::time::timeout(CONNECT, open(addr, bind)) => stream,
        () = line.closed() => return,
    };
    match stream {
        Ok(Ok(stream)) => {
            if inbox.send(Post::Input(Input::Connected { conn })).await.is_ok() {
                talk(conn, stream, line, inbox, buffers).await;
            }
        }
        // Why does not matter to the engine: nobody is there.
        Ok(Err(_)) | Err(_) => {
            let _ = inbox.send(Post::Input(Input::ConnectFailed { conn })).await;
        }
    }
}

async fn open(addr: SocketAddr, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(ip) = bind {
        socket.bind(SocketAddr::new(ip, 0))?;
    }
    socket.connect(addr).await
}

/// Carries what is said in both directions until one side has enough.
pub(super) async fn talk(
    conn: ConnKey,
    stream: TcpStream,
    line: Arc<Line>,
    inbox: Inbox,
    buffers: Arc<Buffers>,
) {
    // Requests and small messages must not wait for more to send.
    let _ = stream.set_nodelay(true);
    #[cfg(target_os = "linux")]
    near::hasten(&stream);
    let mut wire = Wire::new(stream, line, buffers);
    loop {
        let turn = poll_fn(|cx| wire.turn(cx)).await;
        let sent = (turn.sent > 0).then_some(Input::Sent { conn, bytes: turn.sent });
        wire.buffers.read(turn.items.iter().map(Item::block_bytes).sum());
        let received = (!turn.items.is_empty()).then_some(Input::Received { conn, items: turn.items });
        let ended = match turn.end {
            None => None,
            Some(Ending::Asked) => return,
            Some(Ending::ByPeer(end)) => Some(Input::Closed { conn, end }),
        };
        let is_last = ended.is_some();
        for input in [sent, received, ended].into_iter().flatten() {
            if inbox.send(Post::Input(input)).await.is_err() {
                return;
            }
        }
        if is_last {
            return;
        }
    }
}

/// What one turn has brought.
#[derive(Debug)]
struct Turn {
    /// Bytes of blocks that were written.
    sent: u64,
    items: Vec<Item>,
    end: Option<Ending>,
}

#[derive(Clone, Copy, Debug)]
enum Ending {
    /// The engine wants it.
    Asked,
    /// The peer does, or does something that nobody may.
    ByPeer(End),
}

/// A socket with both of its sides.
struct Wire {
    stream: TcpStream,
    line: Arc<Line>,
    outbox: Outbox,
    /// Bytes of blocks that were written and not yet told of.
    unreported: u64,
    conn: Conn,
    buffers: Arc<Buffers>,
    buffer: BytesMut,
    /// How large the buffer was made, and how large the next one is to be.
    size: Size,
    next_size: Size,
    /// Reads in a row that brought little.
    short_reads: u8,
}

impl Wire {
    fn new(stream: TcpStream, line: Arc<Line>, buffers: Arc<Buffers>) -> Self {
        Self {
            stream,
            line,
            outbox: Outbox::new(),
            unreported: 0,
            conn: Conn::new(),
            buffer: buffers.take(Size::Small),
            buffers,
            size: Size::Small,
            next_size: Size::Small,
            short_reads: 0,
        }
    }

    /// Moves what can be moved; waits only while there is nothing to tell.
    fn turn(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        let closed = self.line.hear(cx, &mut self.outbox);
        let mut end = self.write(cx).err().map(|_| Ending::ByPeer(End::Lost));
        if closed {
            return Poll::Ready(Turn { sent: 0, items: Vec::new(), end: Some(Ending::Asked) });
        }
        if self.outbox.overhead() > OVERHEAD {
            end = Some(Ending::ByPeer(End::Lost));
        }
        let mut items = Vec::new();
        while items.is_empty() && end.is_none() && self.buffers.may_fill(cx) {
            match self.read(cx, &mut items) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(how)) => end = Some(Ending::ByPeer(how)),
                Poll::Pending => break,
            }
        }
        let mut sent = 0;
        if self.unreported >= REPORT || self.outbox.len() == self.outbox.overhead() {
            sent = std::mem::take(&mut self.unreported);
        }
        if sent == 0 && items.is_empty() && end.is_none() {
            return Poll::Pending;
        }
        Poll::Ready(Turn { sent, items, end })
    }

    /// Writes until nothing waits or the system takes no more.
    fn write(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while !self.outbox.is_empty() {
            let mut slices = [IoSlice::new(&[]); SLICES];
            let filled = self.outbox.slices(&mut slices);
            match Pin::new(&mut self.stream).poll_write_vectored(cx, &slices[..filled]) {
                Poll::Ready(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(Ok(written)) => self.unreported += self.outbox.advance(written),
                Poll::Ready(Err(error)) => return Err(error),
                Poll::Pending => break,
            }
        }
        Ok(())
    }

    /// Reads once.
    fn read(&mut self, cx: &mut Context<'_>, items: &mut Vec<Item>) -> Poll<Result<(), End>> {
        self.make_room();
        let room = self.buffer.capacity() - self.buffer.len();
        let mut limited = (&mut self.buffer).limit(room);
        let read = pin!(self.stream.read_buf(&mut limited));
        let got = match std::future::Future::poll(read, cx) {
            Poll::Ready(Ok(got)) if got > 0 => got,
            Poll::Ready(_) => return Poll::Ready(Err(End::Lost)),
            Poll::Pending => return Poll::Pending,
        };
        if got == room {
            (self.next_size, self.short_reads) = (self.size.larger(), 0);
        } else if got >= self.size.bytes() / 8 {
            self.short_reads = 0;
        } else if self.short_reads < SHORT_READS {
            self.short_reads += 1;
        } else {
            self.next_size = self.size.smaller();
        }
        Poll::Ready(self.conn.read(&mut self.buffer, items).map_err(|_| End::Broken))
    }

    /// Goes over to another buffer where the rest of this one is too small for what is missing, or where it should be
    /// smaller; only the beginning of a message is carried over.
    fn make_room(&mut self) {
        let wanted = self.conn.wanted(&self.buffer);
        let room = self.buffer.capacity() - self.buffer.len();
        let shrinks = self.buffer.is_empty() && self.next_size < self.size;
        if room >= wanted.max(self.size.bytes() / 8) && !shrinks {
            return;
        }
        let mut size = self.next_size;
        while size < Size::Large && size.bytes() < self.buffer.len() + wanted {
            size = size.larger();
        }
        let mut buffer = self.buffers.take(size);
        // The one message that is longer than any buffer is an extension's, or a long bitfield.
        buffer.reserve(self.buffer.len() + wanted);
        buffer.extend_from_slice(&self.buffer);
        let old = std::mem::replace(&mut self.buffer, buffer);
        self.buffers.give_back(self.size, old);
        (self.size, self.next_size, self.short_reads) = (size, size, 0);
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.buffers.give_back(self.size, std::mem::take(&mut self.buffer));
    }
}

#[cfg(target_os = "linux")]
mod near;
#[cfg(test)]
mod tests;
