//! HTTP: the network between machines, the statistics page, remote control.
