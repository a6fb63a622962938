//! Several blocks in one go: which ways the processor has, and which is the fastest for how many messages.
//!
//! - `rounds`: both algorithms over vectors of words, whatever those are made of
//! - `portable`: vectors of four words in plain Rust
//! - `neon`: vectors of four words on ARM
//! - `avx2`: vectors of eight words
//! - `avx512`: vectors of sixteen words
//! - `avx512vl`: vectors of eight words with the operations of AVX-512
//! - `shani`: two messages through the SHA instructions of x86 processors

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod avx512vl;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
mod rounds;
#[cfg(target_arch = "x86_64")]
mod shani;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::hash::Block;

/// The most lanes that any kernel has.
pub(super) const WIDEST: usize = 16;

/// A way to hash some blocks of each of several messages.
#[derive(Clone, Copy)]
pub(super) struct Kernel<const WORDS: usize> {
    pub(super) name: &'static str,
    /// How many messages it takes at most.
    pub(super) lanes: usize,
    /// From how many messages on it is faster than those with fewer lanes.
    pub(super) from: usize,
    /// Hashes the blocks, equally many of each message, into the states; one to `lanes` of both.
    pub(super) run: fn(&mut [[u32; WORDS]], &[&[Block]]),
}

/// The ways to hash by SHA-1 that pay on this machine, the widest first; the last takes one message.
pub(super) fn sha1() -> &'static [Kernel<5>] {
    static KERNELS: OnceLock<Vec<Kernel<5>>> = OnceLock::new();
    KERNELS.get_or_init(|| that_pay(all_sha1()))
}

/// The ways to hash by SHA-256 that pay on this machine, the widest first; the last takes one message.
pub(super) fn sha256() -> &'static [Kernel<8>] {
    static KERNELS: OnceLock<Vec<Kernel<8>>> = OnceLock::new();
    KERNELS.get_or_init(|| that_pay(all_sha256()))
}

static AVOIDS_SHA: AtomicBool = AtomicBool::new(false);

/// Chooses among the ways as a processor without SHA instructions would, from the first hash on; for people who measure.
pub(super) fn avoid_sha() {
    AVOIDS_SHA.store(true, Ordering::Relaxed);
}

fn avoids_sha() -> bool {
    AVOIDS_SHA.load(Ordering::Relaxed)
}

fn that_pay<const WORDS: usize>(all: Vec<Kernel<WORDS>>) -> Vec<Kernel<WORDS>> {
    all.into_iter().filter(|kernel| kernel.from <= kernel.lanes).collect()
}

/// What `from` is of a kernel that never pays here.
const NEVER: usize = usize::MAX;

// How many messages a kernel pays from was measured with messages of 16 KiB on a Zen 4 core: in MiB/s, SHA-1 does 6,690
// with `avx512`, 6,260 with `avx512vl`, 4,040 with `avx2`, 3,240 with `shani`, 460 with `portable`, and 1,860 or 790 with
// `one`, depending on whether the processor has instructions for it. SHA-256 does 3,510, 3,130, 1,800, 3,380, 200, and 1,730
// or 370. A kernel takes as long for one message as for all its lanes. A Zen 5 core, which does operations of 512 bits as fast
// as those of 256, does SHA-1 with 11,900, 6,100, 3,800, 3,700, 550 and 2,080, SHA-256 with 6,250, 3,250, 1,900, 3,100, 230 and
// 1,980.

/// Every way to hash by SHA-1 that this machine has, the widest first.
pub(super) fn all_sha1() -> Vec<Kernel<5>> {
    let mut all = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let own = shani::is_there();
        if avx512::is_there() {
            let from = if own { 11 } else { 9 };
            all.push(Kernel { name: "avx512", lanes: 16, from, run: avx512::sha1 });
        }
        let wide = avx512vl::is_there();
        if wide {
            let from = if own { 5 } else { 2 };
            all.push(Kernel { name: "avx512vl", lanes: 8, from, run: avx512vl::sha1 });
        }
        if avx2::is_there() {
            let from = if wide {
                NEVER
            } else if own {
                7
            } else {
                2
            };
            all.push(Kernel { name: "avx2", lanes: 8, from, run: avx2::sha1 });
        }
        if own {
            all.push(Kernel { name: "shani", lanes: 2, from: 2, run: shani::sha1 });
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let own = std::arch::is_aarch64_feature_detected!("sha2");
        all.push(Kernel { name: "neon", lanes: 4, from: if own { NEVER } else { 3 }, run: neon::sha1 });
    }
    all.push(Kernel { name: "portable", lanes: 4, from: NEVER, run: portable::sha1 });
    all.push(Kernel { name: "one", lanes: 1, from: 1, run: one_sha1 });
    all
}

/// Every way to hash by SHA-256 that this machine has, the widest first.
pub(super) fn all_sha256() -> Vec<Kernel<8>> {
    let mut all = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let own = shani::is_there();
        if avx512::is_there() {
            let from = if own { 16 } else { 9 };
            all.push(Kernel { name: "avx512", lanes: 16, from, run: avx512::sha256 });
        }
        let wide = avx512vl::is_there();
        if wide {
            let from = if own { NEVER } else { 2 };
            all.push(Kernel { name: "avx512vl", lanes: 8, from, run: avx512vl::sha256 });
        }
        if avx2::is_there() {
            let from = if own || wide { NEVER } else { 2 };
            all.push(Kernel { name: "avx2", lanes: 8, from, run: avx2::sha256 });
        }
        if own {
            all.push(Kernel { name: "shani", lanes: 2, from: 2, run: shani::sha256 });
        }
    }
    #[cfg(target_arch = "aarch64")]
    {
        let own = std::arch::is_aarch64_feature_detected!("sha2");
        all.push(Kernel { name: "neon", lanes: 4, from: if own { NEVER } else { 3 }, run: neon::sha256 });
    }
    all.push(Kernel { name: "portable", lanes: 4, from: NEVER, run: portable::sha256 });
    all.push(Kernel { name: "one", lanes: 1, from: 1, run: one_sha256 });
    all
}

fn one_sha1(states: &mut [[u32; 5]], messages: &[&[Block]]) {
    for (state, blocks) in states.iter_mut().zip(messages) {
        sha1::block_api::compress(state, blocks);
    }
}

fn one_sha256(states: &mut [[u32; 8]], messages: &[&[Block]]) {
    for (state, blocks) in states.iter_mut().zip(messages) {
        sha2::block_api::compress256(state, blocks);
    }
}
