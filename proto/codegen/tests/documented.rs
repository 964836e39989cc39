//! The comments are the manual: nothing in the contracts goes without one.

use channel_proto_codegen::compile;
use protox::prost_reflect::prost_types::{
    DescriptorProto, EnumDescriptorProto, FileDescriptorProto, ServiceDescriptorProto,
};

#[test]
fn every_part_of_the_contracts_has_a_leading_comment() {
    let contracts = compile().unwrap();
    let (mut seen, mut bare) = (0, Vec::new());
    for file in contracts.file.iter().filter(|file| file.package().starts_with("channel.")) {
        for (path, name) in parts(file) {
            seen += 1;
            if comment(file, &path).is_empty() {
                bare.push(format!("{}: {name}", file.name()));
            }
        }
    }
    assert!(seen > 500, "only {seen} parts found: the walk is broken");
    assert!(bare.is_empty(), "without a comment:\n{}", bare.join("\n"));
}

#[test]
fn every_rpc_that_acts_says_who_may_call_it_and_whether_to_retry() {
    let contracts = compile().unwrap();
    let mut seen = 0;
    for file in &contracts.file {
        for (service, rpcs) in (0..).zip(&file.service) {
            if rpcs.name() == "QueryService" {
                continue; // says both once, for all its calls
            }
            for (at, rpc) in (0..).zip(&rpcs.method) {
                let said = comment(file, &[6, service, 2, at]);
                assert!(said.contains("Role: "), "{} names no role", rpc.name());
                assert!(said.contains("afe to retry"), "{} says nothing of retries", rpc.name());
                seen += 1;
            }
        }
    }
    assert_eq!(seen, 27, "rpcs of IngestService and MessagingService");
}

/// The comment that leads the part at `path`, trimmed.
fn comment<'a>(file: &'a FileDescriptorProto, path: &[i32]) -> &'a str {
    let locations = file.source_code_info.as_ref().map_or(&[][..], |info| &info.location);
    locations
        .iter()
        .find(|location| location.path == path)
        .map_or("", |location| location.leading_comments().trim())
}

/// Path (as `SourceCodeInfo` counts) and name of one part of a file.
type Part = (Vec<i32>, String);

fn parts(file: &FileDescriptorProto) -> Vec<Part> {
    let messages = (0..).zip(&file.message_type).flat_map(|(i, m)| message(&[4, i], m));
    let enums = (0..).zip(&file.enum_type).flat_map(|(i, e)| enumeration(&[5, i], e));
    let services = (0..).zip(&file.service).flat_map(|(i, s)| service(&[6, i], s));
    messages.chain(enums).chain(services).collect()
}

fn message(path: &[i32], message: &DescriptorProto) -> Vec<Part> {
    let name = message.name();
    let mut parts = vec![(path.to_vec(), name.to_owned())];
    for (i, field) in (0..).zip(&message.field) {
        parts.push(part(path, [2, i], name, field.name()));
    }
    for (i, oneof) in (0..).zip(&message.oneof_decl) {
        // The compiler wraps each `optional` field in a oneof of its own, named with an underscore.
        if !oneof.name().starts_with('_') {
            parts.push(part(path, [8, i], name, oneof.name()));
        }
    }
    assert!(message.nested_type.is_empty(), "{name}: keep messages at the top level");
    assert!(message.enum_type.is_empty(), "{name}: keep enums at the top level");
    parts
}

fn enumeration(path: &[i32], enumeration: &EnumDescriptorProto) -> Vec<Part> {
    let mut parts = vec![(path.to_vec(), enumeration.name().to_owned())];
    for (i, value) in (0..).zip(&enumeration.value) {
        parts.push(part(path, [2, i], enumeration.name(), value.name()));
    }
    parts
}

fn service(path: &[i32], service: &ServiceDescriptorProto) -> Vec<Part> {
    let mut parts = vec![(path.to_vec(), service.name().to_owned())];
    for (i, rpc) in (0..).zip(&service.method) {
        parts.push(part(path, [2, i], service.name(), rpc.name()));
    }
    parts
}

fn part(path: &[i32], inner: [i32; 2], outer_name: &str, name: &str) -> Part {
    ([path, &inner].concat(), format!("{outer_name}.{name}"))
}
