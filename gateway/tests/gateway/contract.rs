use channel_gateway::methods::{self, Owner, Shape};
use prost::Message;
use prost_types::FileDescriptorSet;

/// Every method of the product's own contracts, with its shape.
fn contracts() -> Vec<(String, Shape)> {
    let set = FileDescriptorSet::decode(channel_proto::FILE_DESCRIPTOR_SET).unwrap();
    let files = set.file.iter().filter(|file| file.package().starts_with("channel."));
    let services = files.flat_map(|file| file.service.iter().map(move |s| (file.package(), s)));
    let methods = services.flat_map(|(package, service)| {
        service.method.iter().map(move |method| {
            let shape = match (method.client_streaming(), method.server_streaming()) {
                (true, _) => Shape::ClientStream,
                (false, true) => Shape::ServerStream,
                (false, false) => Shape::Unary,
            };
            (format!("/{package}.{}/{}", service.name(), method.name()), shape)
        })
    });
    methods.collect()
}

#[test]
fn the_gateway_knows_the_shape_of_every_public_method_of_the_contracts() {
    let contracts = contracts();
    assert!(contracts.len() > 20);
    for (path, shape) in &contracts {
        if let Ok(method) = methods::find(path) {
            assert_eq!(method.shape, *shape, "{path}");
        }
    }
}

#[test]
fn only_deliver_webhook_is_kept_from_the_public() {
    let hidden = contracts().into_iter().filter(|(path, _)| methods::find(path).is_err());
    let hidden: Vec<_> = hidden.map(|(path, _)| path).collect();
    assert_eq!(hidden, ["/channel.ingest.v1.IngestService/DeliverWebhook"]);
}

#[test]
fn every_listed_method_exists() {
    let contracts = contracts();
    for rule in methods::RULES.iter().filter(|rule| rule.owner != Owner::Gateway) {
        let listed =
            rule.streams.iter().map(|(method, _)| method).chain(rule.only.unwrap_or_default());
        for method in listed {
            let path = format!("/{}/{method}", rule.service);
            assert!(contracts.iter().any(|(known, _)| *known == path), "{path}");
        }
    }
}
