//! A simulated world: clock, links, hosts and disks from one seed, through the engine that ships.
