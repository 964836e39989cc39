//! What the client promises, tried against a server that says what a test tells it to.

#[cfg(test)]
mod breaker;
#[cfg(test)]
mod broken;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod refusals;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod retries;
#[cfg(test)]
mod sends;
#[cfg(test)]
mod support;
