//! Server reflection, in both versions that clients ask for.

use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};
use tonic_reflection::server::v1alpha::{
    ServerReflection as ServerReflectionAlpha,
    ServerReflectionServer as ServerReflectionAlphaServer,
};
use tonic_reflection::server::{Builder, Error};

/// What every server describes besides its own contracts: health, and the details of errors,
/// without which clients print them raw.
pub(super) const COMMON: [&[u8]; 2] =
    [tonic_health::pb::FILE_DESCRIPTOR_SET, tonic_types::pb::FILE_DESCRIPTOR_SET];

/// The two services that [`reflection`] makes.
#[derive(Debug)]
pub struct Reflection<A: ServerReflection, B: ServerReflectionAlpha> {
    /// `grpc.reflection.v1`
    pub v1: ServerReflectionServer<A>,
    /// `grpc.reflection.v1alpha`
    pub v1alpha: ServerReflectionAlphaServer<B>,
}

/// Describes the given encoded descriptor sets, health and error details.
///
/// # Errors
///
/// When a set cannot be decoded.
pub fn reflection(
    descriptor_sets: &[&'static [u8]],
) -> Result<Reflection<impl ServerReflection, impl ServerReflectionAlpha>, Error> {
    Ok(Reflection {
        v1: builder(descriptor_sets).build_v1()?,
        v1alpha: builder(descriptor_sets).build_v1alpha()?,
    })
}

fn builder(descriptor_sets: &[&'static [u8]]) -> Builder<'static> {
    let all = COMMON.iter().chain(descriptor_sets);
    all.fold(Builder::configure(), |builder, set| builder.register_encoded_file_descriptor_set(set))
}
