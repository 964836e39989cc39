//! Which methods the public may call, whose they are, and which of them stream.

/// Who serves a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// The query service.
    Query,
    /// The messaging service.
    Messaging,
    /// The ingest service.
    Ingest,
    /// Always this process: health and reflection speak for the gateway itself.
    Gateway,
}

impl Owner {
    /// The name in logs and error details.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Messaging => "messaging",
            Self::Ingest => "ingest",
            Self::Gateway => "gateway",
        }
    }
}

/// How long a call's two directions may last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One request, one response.
    Unary,
    /// One request, many responses.
    ServerStream,
    /// Many requests, whatever comes back.
    ClientStream,
}

/// What the gateway knows about one service.
#[derive(Debug)]
pub struct ServiceRule {
    /// The full name, as in a request's path.
    pub service: &'static str,
    /// Who serves it.
    pub owner: Owner,
    /// The methods that pass; `None` means all.
    pub only: Option<&'static [&'static str]>,
    /// The methods that are not unary.
    pub streams: &'static [(&'static str, Shape)],
}

/// Every service that the gateway lets anything through to.
pub const RULES: &[ServiceRule] = &[
    ServiceRule {
        service: "channel.query.v1.QueryService",
        owner: Owner::Query,
        only: None,
        streams: &[
            ("Watch", Shape::ServerStream),
            ("GetAttachment", Shape::ServerStream),
            ("GetLinkedAttachment", Shape::ServerStream),
            ("ExportAccount", Shape::ServerStream),
            ("ExportContact", Shape::ServerStream),
        ],
    },
    ServiceRule {
        service: "channel.messaging.v1.MessagingService",
        owner: Owner::Messaging,
        only: None,
        streams: &[
            ("ConnectAccount", Shape::ServerStream),
            ("ReconnectAccount", Shape::ServerStream),
            ("FollowHostedLink", Shape::ServerStream),
            ("UploadAttachment", Shape::ClientStream),
        ],
    },
    ServiceRule {
        service: "channel.ingest.v1.IngestService",
        owner: Owner::Ingest,
        only: Some(&["ListQuarantined", "Replay", "GetIngestStatus"]),
        streams: &[],
    },
    ServiceRule {
        service: "grpc.health.v1.Health",
        owner: Owner::Gateway,
        only: None,
        streams: &[("Watch", Shape::ServerStream)],
    },
    ServiceRule {
        service: "grpc.reflection.v1.ServerReflection",
        owner: Owner::Gateway,
        only: None,
        streams: &[("ServerReflectionInfo", Shape::ClientStream)],
    },
    ServiceRule {
        service: "grpc.reflection.v1alpha.ServerReflection",
        owner: Owner::Gateway,
        only: None,
        streams: &[("ServerReflectionInfo", Shape::ClientStream)],
    },
];

/// A method that the public may call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Who serves it.
    pub owner: Owner,
    /// How it streams.
    pub shape: Shape,
}

/// Why a path leads nowhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// No such service, or none that is public.
    UnknownService,
    /// The service is public, this method is not.
    NotPublic,
}

/// Finds the method that a request's path names.
///
/// # Errors
///
/// When the path is not `/service/method`, or not public.
pub fn find(path: &str) -> Result<Method, Refused> {
    let (service, method) = path
        .strip_prefix('/')
        .and_then(|path| path.split_once('/'))
        .ok_or(Refused::UnknownService)?;
    let rule = RULES.iter().find(|rule| rule.service == service).ok_or(Refused::UnknownService)?;
    if rule.only.is_some_and(|only| !only.contains(&method)) {
        return Err(Refused::NotPublic);
    }
    let listed = rule.streams.iter().find(|(name, _)| *name == method);
    Ok(Method { owner: rule.owner, shape: listed.map_or(Shape::Unary, |(_, shape)| *shape) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_ingest_only_the_operators_methods_are_public() {
        for method in ["ListQuarantined", "Replay", "GetIngestStatus"] {
            let path = format!("/channel.ingest.v1.IngestService/{method}");
            assert_eq!(find(&path).unwrap().owner, Owner::Ingest);
        }
        let hidden = find("/channel.ingest.v1.IngestService/DeliverWebhook");
        assert_eq!(hidden, Err(Refused::NotPublic));
    }

    #[test]
    fn near_misses_of_a_public_path_lead_nowhere() {
        for path in [
            "",
            "/",
            "channel.query.v1.QueryService/ListChats",
            "/channel.query.v1.QueryServiceX/ListChats",
            "/channel.query.v1.QueryService",
            "//channel.ingest.v1.IngestService/Replay",
        ] {
            assert_eq!(find(path), Err(Refused::UnknownService), "{path}");
        }
        for path in [
            "/channel.ingest.v1.IngestService/Replay/",
            "/channel.ingest.v1.IngestService/replay",
            "/channel.ingest.v1.IngestService/%52eplay",
            "/channel.ingest.v1.IngestService/../DeliverWebhook",
        ] {
            assert_eq!(find(path), Err(Refused::NotPublic), "{path}");
        }
    }

    #[test]
    fn a_watch_is_known_as_a_stream() {
        let watch = find("/channel.query.v1.QueryService/Watch").unwrap();
        assert_eq!(watch.shape, Shape::ServerStream);
        let list = find("/channel.query.v1.QueryService/ListChats").unwrap();
        assert_eq!(list.shape, Shape::Unary);
    }
}
