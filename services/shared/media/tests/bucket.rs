//! Files in a bucket, over HTTP, against a service that speaks as much of S3 as this needs.

#![expect(clippy::unwrap_used, reason = "this is test code")]

use channel_domain::media::StoredFile;
use channel_media::{MediaConfig, MediaError, MediaStoreKind, Objects, Put, S3Config, Spool};
use channel_runtime::config::Secret;
use futures::TryStreamExt as _;
use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// What lies in the bucket, and what was asked of it.
#[derive(Default)]
struct Bucket {
    objects: HashMap<String, Vec<u8>>,
    parts: Vec<Vec<u8>>,
    asked: Vec<String>,
}

struct Request {
    method: String,
    path: String,
    query: String,
    headers: HashMap<String, String>,
    body: Vec<u8>,
}

async fn read(wire: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    wire.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut words = line.split(' ');
    let (method, target) = (words.next()?.to_owned(), words.next()?.to_owned());
    let (path, query) = target.split_once('?').unwrap_or((&target, ""));
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        wire.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim().split_once(": ") else { break };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers.get("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    wire.read_exact(&mut body).await.ok()?;
    let (path, query) = (path.to_owned(), query.to_owned());
    Some(Request { method, path, query, headers, body })
}

/// The head and body of an answer. `HEAD` announces a length that does not follow.
fn answer(status: &str, more: &str, body: &[u8]) -> Vec<u8> {
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{more}\r\n", body.len());
    [head.as_bytes(), body].concat()
}

fn respond(bucket: &mut Bucket, request: Request) -> Vec<u8> {
    assert!(request.headers["authorization"].contains("Credential=the-key/"), "it is signed");
    bucket.asked.push(format!("{} {}", request.method, request.query));
    let stamped = "etag: \"1\"\r\nlast-modified: Wed, 28 Jan 2026 12:00:00 GMT\r\n";
    match (request.method.as_str(), request.query.as_str()) {
        ("POST", query) if query.starts_with("uploads") => answer(
            "200 OK",
            "",
            b"<InitiateMultipartUploadResult><UploadId>7</UploadId></InitiateMultipartUploadResult>",
        ),
        ("PUT", query) if query.contains("uploadId=7") => {
            bucket.parts.push(request.body);
            answer("200 OK", stamped, b"")
        }
        ("POST", query) if query.contains("uploadId=7") => {
            let whole = std::mem::take(&mut bucket.parts).concat();
            bucket.objects.insert(request.path, whole);
            let done = "<CompleteMultipartUploadResult><ETag>\"1\"</ETag></CompleteMultipartUploadResult>";
            answer("200 OK", "", done.as_bytes())
        }
        (method, _) => {
            let Some(bytes) = bucket.objects.get(&request.path) else {
                return answer("404 Not Found", "", b"");
            };
            if method == "HEAD" {
                let head = answer("200 OK", stamped, bytes);
                return head[..head.len() - bytes.len()].to_vec();
            }
            let range = request.headers["range"].trim_start_matches("bytes=").to_owned();
            let (from, to) = range.split_once('-').unwrap();
            let (from, to): (usize, usize) = (from.parse().unwrap(), to.parse().unwrap());
            let to = to.min(bytes.len() - 1);
            let told = format!("{stamped}content-range: bytes {from}-{to}/{}\r\n", bytes.len());
            answer("206 Partial Content", &told, &bytes[from..=to])
        }
    }
}

async fn serve(listener: TcpListener, bucket: Arc<Mutex<Bucket>>) {
    while let Ok((wire, _)) = listener.accept().await {
        let bucket = Arc::clone(&bucket);
        tokio::spawn(async move {
            let mut wire = BufReader::new(wire);
            while let Some(request) = read(&mut wire).await {
                let answer = respond(&mut bucket.lock().unwrap(), request);
                if wire.write_all(&answer).await.is_err() {
                    return;
                }
            }
        });
    }
}

fn config(endpoint: String) -> MediaConfig {
    let s3 = S3Config {
        bucket: "files".into(),
        region: "eu-central-1".into(),
        endpoint,
        prefix: "of/channel".into(),
        access_key_id: "the-key".into(),
        secret_access_key: Secret::new("a secret".to_owned()),
        allow_http: true,
    };
    MediaConfig { kind: MediaStoreKind::S3, s3, ..MediaConfig::default() }
}

#[tokio::test]
async fn a_file_lies_in_a_bucket_once_and_is_read_in_any_part() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let bucket = Arc::new(Mutex::new(Bucket::default()));
    tokio::spawn(serve(listener, Arc::clone(&bucket)));
    let config = config(endpoint);
    config.check().unwrap();
    let objects = Objects::open(&config, Path::new("unused")).unwrap();

    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path()).unwrap();
    // More than a part.
    let bytes = vec![5; 6 * 1024 * 1024];
    let mut received = spool.begin().await.unwrap();
    received.take(b"begin").await.unwrap();
    received.take(&bytes).await.unwrap();
    let (mut file, stored) = received.finish(None).await.unwrap();
    let missing = objects.read(&stored, 0..5).await.err().unwrap();
    assert!(matches!(missing, MediaError::Missing), "{missing:?}");
    assert_eq!(objects.put(&mut file, &stored).await.unwrap(), Put::Written);
    assert_eq!(objects.put(&mut file, &stored).await.unwrap(), Put::Known);

    let part = objects.read(&stored, 3..7).await.unwrap();
    assert_eq!(part.try_collect::<Vec<_>>().await.unwrap().concat(), b"in\x05\x05");
    let other = StoredFile { size: 7, ..stored.clone() };
    let damaged = objects.read(&other, 0..5).await.err().unwrap();
    assert!(matches!(damaged, MediaError::Damaged), "{damaged:?}");

    let bucket = bucket.lock().unwrap();
    let digits = &stored.sha256;
    let path = format!("/files/of/channel/sha256/{}/{digits}", &digits[..2]);
    assert_eq!(bucket.objects.keys().collect::<Vec<_>>(), [&path]);
    assert_eq!(bucket.objects[&path].len() as u64, stored.size);
    let begun = bucket.asked.iter().filter(|asked| asked.starts_with("POST uploads")).count();
    assert_eq!(begun, 1, "{:?}", bucket.asked);
}
