//! The gateway over real sockets: every protocol it speaks, and everything it must survive.

#[cfg(test)]
mod contract;
#[cfg(test)]
mod deadline;
#[cfg(test)]
mod download;
#[cfg(test)]
mod identity;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod native;
#[cfg(test)]
mod shutdown;
#[cfg(test)]
mod stuck;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tls;
#[cfg(test)]
mod upstream_lost;
#[cfg(test)]
mod web;
#[cfg(test)]
mod webhook;
