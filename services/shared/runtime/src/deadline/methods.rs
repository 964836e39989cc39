//! Which methods stream, read from the contracts themselves.

use std::collections::HashSet;

use prost::{DecodeError, Message};
use prost_types::FileDescriptorSet;

/// The paths (`/package.Service/Method`) of all methods that stream in either direction, from
/// encoded `FileDescriptorSet`s.
///
/// # Errors
///
/// When a set cannot be decoded.
pub fn streaming_methods<'a>(
    descriptor_sets: impl IntoIterator<Item = &'a [u8]>,
) -> Result<HashSet<String>, DecodeError> {
    let mut paths = HashSet::new();
    for set in descriptor_sets {
        for file in FileDescriptorSet::decode(set)?.file {
            for service in &file.service {
                let streaming = service
                    .method
                    .iter()
                    .filter(|method| method.server_streaming() || method.client_streaming());
                paths.extend(streaming.map(|method| {
                    format!("/{}.{}/{}", file.package(), service.name(), method.name())
                }));
            }
        }
    }
    Ok(paths)
}
