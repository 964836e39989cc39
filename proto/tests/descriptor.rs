//! The descriptor set serves reflection without anything else.

use std::collections::BTreeSet;

use channel_proto::{
    FILE_DESCRIPTOR_SET, ingest::v1::ingest_service_server,
    messaging::v1::messaging_service_server, query::v1::query_service_server,
};
use prost::Message as _;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

#[test]
fn the_descriptor_set_names_the_services_that_the_servers_serve() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let described: BTreeSet<String> = set
        .file
        .iter()
        .flat_map(|file| {
            file.service.iter().map(|service| format!("{}.{}", file.package(), service.name()))
        })
        .collect();
    let served = [
        ingest_service_server::SERVICE_NAME,
        messaging_service_server::SERVICE_NAME,
        query_service_server::SERVICE_NAME,
    ];
    assert_eq!(described, served.map(str::to_owned).into());
}

#[test]
fn the_descriptor_set_holds_everything_that_it_imports() {
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let held: BTreeSet<&str> = set.file.iter().map(FileDescriptorProto::name).collect();
    for file in &set.file {
        for import in &file.dependency {
            assert!(held.contains(import.as_str()), "{} imports {import}", file.name());
        }
    }
}
