//! The role as a whole, over real HTTP and a real store.

#[cfg(test)]
mod broken;
mod deliver;
#[cfg(test)]
mod doors;
#[cfg(test)]
mod observe;
#[cfg(test)]
mod operate;
#[cfg(test)]
mod poison;
#[cfg(test)]
mod support;
