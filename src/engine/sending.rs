//! What sockets hold of the blocks that were given to them, and how much each of them may.

/// Bytes that one socket may hold before more are given to it.
const UNSENT: u64 = 1024 * 1024;
/// Bytes that are shared out among those who take something.
const SHARED: u64 = 16 * 1024 * 1024;
/// What anybody may hold: while one block is sent the next is there.
const LEAST: u64 = 32 * 1024;
/// Bytes of all sockets above which nobody is given more than that, when many have come after others had their share.
const MOST: u64 = 32 * 1024 * 1024;

/// The account of all sockets.
#[derive(Debug, Default)]
pub(super) struct Sending {
    bytes: u64,
    /// Peers whose socket holds anything.
    takers: u64,
}

impl Sending {
    /// Bytes that all hold.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Whether a socket that holds `unsent` bytes may be given more. Each has an equal part, so that those who take slowly
    /// leave room for the others.
    pub(super) fn may_give(&self, unsent: u64) -> bool {
        let share = if self.bytes < MOST { SHARED / self.takers.max(1) } else { LEAST };
        unsent < share.clamp(LEAST, UNSENT)
    }

    /// A socket that held `unsent` bytes was given so many.
    pub(super) const fn given(&mut self, unsent: &mut u64, bytes: u64) {
        if *unsent == 0 && bytes > 0 {
            self.takers += 1;
        }
        *unsent += bytes;
        self.bytes += bytes;
    }

    /// So many of `unsent` are no longer held: the system has taken them, or the peer is gone. Never more than were held.
    pub(super) fn taken(&mut self, unsent: &mut u64, bytes: u64) -> u64 {
        let bytes = bytes.min(*unsent);
        *unsent -= bytes;
        self.bytes -= bytes;
        if *unsent == 0 && bytes > 0 {
            self.takers -= 1;
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Rng;

    /// Gives a socket all that it may hold.
    fn fill(sending: &mut Sending, unsent: &mut u64) {
        while sending.may_give(*unsent) {
            sending.given(unsent, 16 * 1024);
        }
    }

    #[test]
    fn those_who_take_nothing_leave_room_for_who_comes() {
        let (mut sending, mut slow) = (Sending::default(), [0; 200]);
        slow.iter_mut().for_each(|unsent| fill(&mut sending, unsent));
        assert_eq!((slow[0], slow[15]), (UNSENT, UNSENT));
        assert!(slow[40] < UNSENT / 2 && slow.iter().all(|unsent| *unsent >= LEAST));
        // Somebody who takes all that he is given gets it again and again.
        let (mut fast, mut got) = (0, 0);
        while got < 64 * UNSENT {
            fill(&mut sending, &mut fast);
            assert!(fast >= LEAST);
            let held = fast;
            got += sending.taken(&mut fast, held);
        }
        assert!(sending.bytes() <= MOST + 201 * LEAST);
    }

    #[test]
    fn the_account_is_the_sum_of_what_all_hold() {
        let (mut sending, mut all) = (Sending::default(), [0_u64; 40]);
        let mut rng = Rng::new(5);
        for _ in 0..10_000 {
            let unsent = &mut all[rng.below(40)];
            let bytes = rng.below(20_000) as u64;
            if rng.below(2) == 0 {
                let before = *unsent;
                assert_eq!(sending.taken(unsent, bytes), bytes.min(before));
            } else if sending.may_give(*unsent) {
                sending.given(unsent, bytes);
            }
            assert_eq!(sending.bytes(), all.iter().sum::<u64>());
            assert_eq!(sending.takers, all.iter().filter(|unsent| **unsent > 0).count() as u64);
            assert!(sending.bytes() < 40 * UNSENT);
        }
        for unsent in &mut all {
            sending.taken(unsent, u64::MAX);
        }
        assert_eq!((sending.bytes, sending.takers), (0, 0));
    }
}
