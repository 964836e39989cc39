//! What the webhook parser promises, tried through its public face.

#[cfg(test)]
mod digests;
#[cfg(test)]
mod fixtures;
#[cfg(test)]
mod forms;
#[cfg(test)]
mod mutations;
#[cfg(test)]
mod people_and_files;
#[cfg(test)]
mod rejections;
#[cfg(test)]
mod support;
