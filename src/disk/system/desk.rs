//! Parts of files seen where the system holds them in memory: what is only looked at need not be copied before.
//!
//! Whoever touches a part that is no more, since somebody has cut the file or its disk has failed, gets SIGBUS from the
//! system, which ends a program. On a [`Desk`] an empty page takes the place of what is missing, and the desk says so.

use std::fs::File;
use std::marker::PhantomData;
use std::mem;
use std::os::fd::AsRawFd as _;
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, compiler_fence};

use libc::{c_int, c_void};

thread_local! {
    // Plain cells of memory: all that a signal handler may touch.
    /// Where this thread's desk begins and ends.
    static FROM: AtomicUsize = const { AtomicUsize::new(0) };
    static TO: AtomicUsize = const { AtomicUsize::new(0) };
    /// Whether something was missing on it.
    static MISSED: AtomicBool = const { AtomicBool::new(false) };
}

/// Page faults that a thread may have besides.
const OWN_FAULTS: usize = 64;

/// What was done about SIGBUS before; nothing where ours could not be put in its place.
static BEFORE: OnceLock<Option<libc::sigaction>> = OnceLock::new();

/// Room for parts of files, for the thread that made it.
#[derive(Debug)]
pub(in crate::disk) struct Desk {
    start: *mut c_void,
    len: usize,
    /// Bytes from one place to the next.
    stride: usize,
    page: usize,
    /// Where each part lies from the start, and its length.
    parts: Vec<(usize, usize)>,
    /// This thread's page faults when the desk was cleared.
    faults: libc::c_long,
    /// The handler looks for it in this thread.
    _stays_here: PhantomData<*mut ()>,
}

impl Desk {
    /// A desk with so many places for parts of up to `longest` bytes; nothing where the system gives none, or where this
    /// thread has one.
    pub(in crate::disk) fn new(places: usize, longest: usize) -> Option<Self> {
        // SAFETY: it only answers.
        let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
        if TO.with(|to| to.load(Ordering::Relaxed)) != 0 || BEFORE.get_or_init(take_signal).is_none() {
            return None;
        }
        // A part may begin and end within a page.
        let stride = longest.checked_next_multiple_of(page)? + page;
        let len = stride.checked_mul(places)?;
        let start = map(ptr::null_mut(), len, None)?;
        FROM.with(|from| from.store(start.addr(), Ordering::Relaxed));
        TO.with(|to| to.store(start.addr() + len, Ordering::Relaxed));
        Some(Self {
            start,
            len,
            stride,
            page,
            parts: vec![(0, 0); places],
            faults: faults(),
            _stays_here: PhantomData,
        })
    }

    /// Takes everything off it; false where the system refuses, and nothing may be laid there then.
    pub(in crate::disk) fn clear(&mut self) -> bool {
        self.parts.fill((0, 0));
        self.faults = faults();
        MISSED.with(|missed| missed.store(false, Ordering::Relaxed));
        // Mapping something else there would let go of the pages too, but with all other threads' mapping locked out.
        // SAFETY: these addresses are the desk's own, and nothing borrows from it.
        unsafe { libc::madvise(self.start, self.len, libc::MADV_DONTNEED) == 0 }
    }

    /// Lays parts that follow each other in a file, with these lengths, at as many places that are free; false where the
    /// system refuses, or would have to read one from its disk first: to touch page after page of that takes longer than to
    /// read it.
    pub(in crate::disk) fn lay(&mut self, first: usize, file: &File, offset: u64, parts: &[usize]) -> bool {
        let lead = (offset % self.page as u64) as usize;
        let len: usize = parts.iter().sum();
        let fits = |len: &usize| *len > 0 && lead + len <= self.stride;
        if first + parts.len() > self.parts.len() || parts.is_empty() || !parts.iter().all(fits) {
            return false;
        }
        let mut at = first * self.stride;
        // SAFETY: `at` and what is mapped there lie within the desk's own addresses: each part fits a place with the lead,
        // and there is one lead for all of them.
        let there = unsafe { self.start.byte_add(at) };
        let Some(start) = map(there, lead + len, Some((file, offset - lead as u64))) else { return false };
        at += lead;
        let mut end = lead;
        for (place, len) in (first..).zip(parts) {
            end += len;
            let mut held = 0_u8;
            // SAFETY: the last page of a part of what was just mapped is the desk's own, and one byte is written for a page.
            let asked = unsafe {
                let last = start.byte_add((end - 1) / self.page * self.page);
                libc::mincore(last, self.page, &mut held)
            };
            if asked != 0 || held & 1 == 0 {
                return false;
            }
            self.parts[place] = (at, *len);
            at += len;
        }
        true
    }

    /// What lies at a place.
    pub(in crate::disk) fn part(&self, place: usize) -> &[u8] {
        let (at, len) = self.parts[place];
        // SAFETY: that many bytes from there on are mapped for reading until the desk is cleared, for which it must be
        // borrowed alone; those that the file has no more the handler fills. Somebody else may write to the file
        // meanwhile, as he may between two reads of it: the kernels of hashing load each byte once, with no branch on it.
        unsafe { std::slice::from_raw_parts(self.start.byte_add(at).cast(), len) }
    }

    /// Whether to touch what was laid since the desk was cleared has cost more than a copy. Commonly the system maps
    /// sixteen pages for the first that is touched, but not of every file at every time.
    pub(in crate::disk) fn is_dear(&self) -> bool {
        let pages: usize = self.parts.iter().map(|(_, len)| len / self.page).sum();
        faults() - self.faults > (pages / 4 + OWN_FAULTS) as libc::c_long
    }

    /// Whether something was missing of what was touched since it was cleared.
    pub(in crate::disk) fn has_missed(&self) -> bool {
        compiler_fence(Ordering::SeqCst);
        MISSED.with(|missed| missed.load(Ordering::Relaxed))
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        FROM.with(|from| from.store(0, Ordering::Relaxed));
        TO.with(|to| to.store(0, Ordering::Relaxed));
        // SAFETY: these addresses are the desk's own, and nothing borrows from it any more.
        unsafe { libc::munmap(self.start, self.len) };
    }
}

/// Maps part of a file for reading, or nothing at all where none is given; at an address, or anywhere where it is null.
fn map(at: *mut c_void, len: usize, file: Option<(&File, u64)>) -> Option<*mut c_void> {
    let fixed = if at.is_null() { 0 } else { libc::MAP_FIXED };
    let (rights, flags, fd, offset) = match file {
        Some((file, offset)) => (libc::PROT_READ, libc::MAP_SHARED, file.as_raw_fd(), offset),
        None => (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE, -1, 0),
    };
    // SAFETY: an address that is given is a desk's own and nothing borrows from there, so that replacing what is mapped
    // concerns nobody else; the file is open during the call.
    let mapped = unsafe { libc::mmap(at, len, rights, flags | fixed, fd, offset as libc::off_t) };
    (mapped != libc::MAP_FAILED).then_some(mapped)
}

/// How many page faults this thread has had; none where the system does not say.
fn faults() -> libc::c_long {
    // SAFETY: an `rusage` of zeros is a valid value, and the system writes nothing else.
    unsafe {
        let mut usage: libc::rusage = mem::zeroed();
        libc::getrusage(libc::RUSAGE_THREAD, &mut usage);
        usage.ru_minflt
    }
}

/// Has SIGBUS come to us, and answers with what was done about it before.
fn take_signal() -> Option<libc::sigaction> {
    // SAFETY: a `sigaction` of zeros is a valid value; the handler has the signature that SA_SIGINFO asks for, and calls
    // nothing that a handler may not.
    unsafe {
        let (mut ours, mut before): (libc::sigaction, libc::sigaction) = (mem::zeroed(), mem::zeroed());
        ours.sa_sigaction = on_missing as extern "C" fn(c_int, *mut libc::siginfo_t, *mut c_void) as usize;
        ours.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK;
        (libc::sigaction(libc::SIGBUS, &ours, &mut before) == 0).then_some(before)
    }
}

/// Puts an empty page where one is missing on this thread's desk. What happens elsewhere is for who cared for it before:
/// the touch is repeated, and comes to him.
extern "C" fn on_missing(signal: c_int, info: *mut libc::siginfo_t, _: *mut c_void) {
    // SAFETY: the system gives a valid `info`, with an address for this signal; `errno` and the mapping are this thread's
    // own. The page that is replaced lies on the desk and could not be read.
    unsafe {
        let errno = libc::__errno_location();
        let kept = *errno;
        let address = (*info).si_addr();
        let on_desk = (FROM.with(|from| from.load(Ordering::Relaxed))
            ..TO.with(|to| to.load(Ordering::Relaxed)))
            .contains(&address.addr());
        let page = usize::try_from(libc::sysconf(libc::_SC_PAGESIZE)).unwrap_or(4_096);
        let start = address.map_addr(|address| address & !(page - 1));
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        let filled = on_desk && libc::mmap(start, page, libc::PROT_READ, flags, -1, 0) != libc::MAP_FAILED;
        if filled {
            MISSED.with(|missed| missed.store(true, Ordering::Relaxed));
        } else if let Some(Some(before)) = BEFORE.get() {
            libc::sigaction(signal, before, ptr::null_mut());
        } else {
            libc::signal(signal, libc::SIG_DFL);
        }
        *errno = kept;
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file
    }

    fn sample() -> Vec<u8> {
        (0..100_000_u32).map(|number| (number % 251) as u8).collect()
    }

    #[test]
    fn parts_lie_side_by_side_and_are_what_the_file_holds() {
        let bytes = sample();
        let file = file(&bytes);
        let mut desk = Desk::new(3, 50_000).expect("room");
        assert!(Desk::new(3, 50_000).is_none(), "a thread has one");
        for round in 0..3 {
            assert!(desk.clear());
            for (place, offset) in [0, 4_096 + round, 50_000].into_iter().enumerate() {
                assert!(desk.lay(place, &file, offset as u64, &[50_000 - place]));
                assert_eq!(desk.part(place), &bytes[offset..offset + 50_000 - place]);
            }
            assert!(!desk.has_missed());
        }
        assert!(desk.clear());
        assert!(desk.part(0).is_empty() && !desk.is_dear());
        assert!(!desk.lay(3, &file, 0, &[1]) && !desk.lay(0, &file, 4_095, &[70_000]));
        drop(desk);
        assert!(Desk::new(1, 1).is_some());
    }

    #[test]
    fn parts_that_follow_each_other_are_laid_in_one_go() {
        let bytes = sample();
        let file = file(&bytes);
        let mut desk = Desk::new(4, 30_000).expect("room");
        assert!(desk.lay(1, &file, 4_097, &[30_000, 1, 29_999]) && desk.lay(0, &file, 0, &[5]));
        assert_eq!(desk.part(0), &bytes[..5]);
        assert_eq!(desk.part(1), &bytes[4_097..34_097]);
        assert_eq!(desk.part(2), &bytes[34_097..34_098]);
        assert_eq!(desk.part(3), &bytes[34_098..64_097]);
        assert!(!desk.has_missed() && !desk.is_dear() && desk.clear());
        assert!(!desk.lay(2, &file, 0, &[1; 3]), "one place is missing");
        assert!(!desk.lay(0, &file, 0, &[1, 0]) && !desk.lay(0, &file, 0, &[]), "nothing is no part");
        assert!(!desk.lay(0, &file, 0, &[1, 40_000]), "one is too long");
    }

    #[test]
    fn what_a_file_has_no_more_is_empty_and_said() {
        let bytes = sample();
        let file = file(&bytes);
        let mut desk = Desk::new(2, 100_000).expect("room");
        assert!(desk.lay(0, &file, 0, &[100_000]) && desk.lay(1, &file, 0, &[100_000]));
        assert_eq!(desk.part(0)[..10], bytes[..10]);
        file.set_len(20_000).expect("cut");
        let seen = desk.part(0).to_vec();
        assert!(desk.has_missed());
        assert_eq!(seen[..20_000], bytes[..20_000]);
        assert!(seen[20_000..].iter().all(|byte| *byte == 0));
        assert_eq!(desk.part(1)[..10], bytes[..10]);
        assert!(desk.clear() && !desk.has_missed());
        assert!(desk.lay(0, &file, 0, &[20_000]));
        assert_eq!(desk.part(0), &bytes[..20_000]);
    }
}
