//! How long to wait until the next look at what may have changed by itself: longer once looks find nothing new.

use std::time::Duration;

/// While something changes: rates fall, and countdowns run.
const LOOK: Duration = Duration::from_secs(1);
/// Once so many looks in a row have found nothing new.
const CALM: Duration = Duration::from_secs(2);
const CALM_AFTER: u32 = 5;

/// What the last looks have found.
#[derive(Debug, Default)]
pub(super) struct Calm {
    in_vain: u32,
}

impl Calm {
    /// The wait after a look that has found something new, or nothing.
    pub(super) fn wait(&mut self, is_news: bool) -> Duration {
        self.in_vain = if is_news { 0 } else { self.in_vain.saturating_add(1) };
        if self.in_vain < CALM_AFTER { LOOK } else { CALM }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_are_fewer_once_there_is_nothing_to_see_and_as_many_as_before_once_there_is() {
        let mut calm = Calm::default();
        let waits: Vec<_> = (0..6).map(|_| calm.wait(false)).collect();
        assert_eq!(waits, [LOOK, LOOK, LOOK, LOOK, CALM, CALM]);
        assert_eq!((calm.wait(true), calm.wait(false)), (LOOK, LOOK));
    }
}
