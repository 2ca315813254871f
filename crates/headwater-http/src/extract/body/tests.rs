use std::io::Write;

use axum::response::IntoResponse;
use flate2::{Compression, write::GzEncoder};

use super::*;

fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

async fn unpack(body: Vec<u8>, encoding: &str, max: usize) -> Result<Bytes, String> {
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_ENCODING, encoding.parse().unwrap());
    let read = async {
        WriteBody::open(Body::from(body), &headers)
            .await?
            .read(max, max)
            .await
    };
    match read.await {
        Ok(bytes) => Ok(bytes),
        Err(error) => {
            let response = error.into_response();
            let status = response.status().as_u16();
            let body = axum::body::to_bytes(response.into_body(), 1 << 20)
                .await
                .unwrap();
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            Err(format!("{status} {}", body["message"].as_str().unwrap()))
        }
    }
}

#[tokio::test]
async fn only_gzip_is_unpacked() {
    assert_eq!(unpack(pack(b"m v=1"), "gzip", 100).await.unwrap(), "m v=1");
    assert_eq!(
        unpack(pack(b"m v=1"), "x-gzip", 100).await.unwrap(),
        "m v=1"
    );
    assert_eq!(
        unpack(b"m v=1".to_vec(), "identity", 100).await.unwrap(),
        "m v=1"
    );
    assert_eq!(unpack(pack(b"m"), "GZIP", 100).await.unwrap(), pack(b"m"));
    let members = [pack(b"m v=1\n"), pack(b"m v=2")].concat();
    assert_eq!(unpack(members, "gzip", 100).await.unwrap(), "m v=1\nm v=2");
}

#[tokio::test]
async fn damaged_gzip_is_the_clients_error() {
    let message = |cause: &str| format!("400 unable to read data: {cause}");
    let packed = pack(&b"m v=1\n".repeat(100));
    let mut damaged = packed.clone();
    let at = damaged.len() - 6;
    damaged[at] ^= 1;
    for (body, cause) in [
        (b"m v=1".to_vec(), "gzip: invalid header"),
        (Vec::new(), "gzip: invalid header"),
        (packed[..packed.len() - 9].to_vec(), "unexpected EOF"),
        (damaged, "gzip: invalid checksum"),
    ] {
        assert_eq!(
            unpack(body, "gzip", 10_000).await.unwrap_err(),
            message(cause)
        );
    }
}

#[tokio::test]
async fn limits_hold_on_the_wire_and_unpacked() {
    let too_large = "413 unable to read data: points batch is too large";
    assert_eq!(
        unpack(vec![b'x'; 11], "identity", 10).await.unwrap_err(),
        too_large
    );
    assert_eq!(
        unpack(vec![b'x'; 10], "identity", 10).await.unwrap().len(),
        10
    );
    let packed = pack(&[b'x'; 5000]);
    assert!(packed.len() < 1000);
    assert_eq!(unpack(packed, "gzip", 1000).await.unwrap_err(), too_large);
}

#[tokio::test]
async fn bodies_in_many_pieces_are_joined() {
    let frames = ["a", "", "b", "c"].map(Ok::<_, std::convert::Infallible>);
    let body = Body::from_stream(tokio_stream::iter(frames));
    assert_eq!(read(body, 10).await.unwrap(), "abc");
}

#[test]
fn json_bodies_say_why_they_do_not_decode() {
    let decode = |text: &'static str| decode_json::<Vec<u8>>(text.as_bytes(), "bad: ");
    assert_eq!(decode("[1,2] trailing").unwrap(), [1, 2]);
    assert!(decode("{").is_err());
    assert!(decode("").is_err());
}
