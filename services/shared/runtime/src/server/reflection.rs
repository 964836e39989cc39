//! Server reflection, in both versions that clients ask for.

use std::collections::BTreeSet;

use tonic_reflection::server::v1::{ServerReflection, ServerReflectionServer};
use tonic_reflection::server::v1alpha::{
    ServerReflection as ServerReflectionAlpha,
    ServerReflectionServer as ServerReflectionAlphaServer,
};
use tonic_reflection::server::{Builder, Error};

/// What every server describes besides its own contracts: health, both versions of reflection, and
/// the details of errors, without which clients print them raw.
pub(super) const COMMON: [&[u8]; 4] = [
    tonic_health::pb::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
    tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
    tonic_types::pb::FILE_DESCRIPTOR_SET,
];

/// What every server serves besides its own services.
const EVERYWHERE: [&str; 3] = [
    "grpc.health.v1.Health",
    "grpc.reflection.v1.ServerReflection",
    "grpc.reflection.v1alpha.ServerReflection",
];

/// The two services that [`reflection`] makes.
#[derive(Debug)]
pub struct Reflection<A: ServerReflection, B: ServerReflectionAlpha> {
    /// `grpc.reflection.v1`
    pub v1: ServerReflectionServer<A>,
    /// `grpc.reflection.v1alpha`
    pub v1alpha: ServerReflectionAlphaServer<B>,
}

/// Describes the given encoded descriptor sets, and lists the services of these names, beside what
/// every server has.
///
/// # Errors
///
/// When a set cannot be decoded.
pub fn reflection(
    descriptor_sets: &[&'static [u8]],
    services: &BTreeSet<String>,
) -> Result<Reflection<impl ServerReflection, impl ServerReflectionAlpha>, Error> {
    Ok(Reflection {
        v1: builder(descriptor_sets, services).build_v1()?,
        v1alpha: builder(descriptor_sets, services).build_v1alpha()?,
    })
}

fn builder(descriptor_sets: &[&'static [u8]], services: &BTreeSet<String>) -> Builder<'static> {
    let all = COMMON.iter().chain(descriptor_sets);
    let builder = Builder::configure().include_reflection_service(false);
    let builder =
        all.fold(builder, |builder, set| builder.register_encoded_file_descriptor_set(set));
    let names = services.iter().map(String::as_str).chain(EVERYWHERE);
    names.fold(builder, Builder::with_service_name)
}
