use axum::body::Body;

use super::*;

fn request(target: &str, headers: &[(&str, &str)], peer: &str) -> Request {
    let mut request = Request::builder().uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut request = request.body(Body::empty()).expect("a valid request");
    let peer = Peer(peer.parse().expect("an address"));
    request.extensions_mut().insert(peer);
    request
}

fn limits(by: RateLimitBy) -> RateLimit {
    RateLimit::new(&Settings {
        rate_limit_per_second: 2,
        rate_limit_burst: 3,
        rate_limit_by: by,
        ..Settings::default()
    })
}

#[test]
fn a_burst_is_allowed_and_then_the_rate() {
    let rate = limits(RateLimitBy::Credential);
    let request = request("/query", &[("authorization", "Token a")], "1.1.1.1:1");
    let at = |milliseconds: u64| rate.take(&request, Duration::from_millis(milliseconds));
    for _ in 0..3 {
        assert_eq!(at(1_000), Ok(()));
    }
    assert_eq!(at(1_000), Err(Duration::from_millis(500)));
    assert_eq!(at(1_400), Err(Duration::from_millis(100)));
    assert_eq!(at(1_500), Ok(()));
    assert_eq!(at(1_500), Err(Duration::from_millis(500)));
    for _ in 0..3 {
        assert_eq!(at(60_000), Ok(()), "no more than a burst is saved up");
    }
    assert!(at(60_000).is_err());
}

#[test]
fn callers_are_told_apart_by_what_they_carry() {
    let rate = limits(RateLimitBy::Credential);
    let token = request("/query", &[("authorization", "Token a")], "1.1.1.1:1");
    let same = request("/write", &[("authorization", "Token a")], "2.2.2.2:1");
    let other = request("/query", &[("authorization", "Token b")], "1.1.1.1:1");
    let by_url = request(
        "/query?u=a&p=b",
        &[("authorization", "Token a")],
        "1.1.1.1:1",
    );
    let nobody = request("/query", &[], "1.1.1.1:1");
    let neighbour = request("/query", &[], "1.1.1.1:2");
    let stranger = request("/query", &[], "3.3.3.3:1");
    assert_eq!(rate.caller(&token), rate.caller(&same));
    assert_eq!(rate.caller(&nobody), rate.caller(&neighbour));
    let mut different = [&token, &other, &by_url, &nobody, &stranger].map(|it| rate.caller(it));
    different.sort_unstable();
    assert!(different.windows(2).all(|pair| pair[0] != pair[1]));
    let rate = limits(RateLimitBy::Address);
    assert_eq!(rate.caller(&token), rate.caller(&by_url));
    assert_ne!(rate.caller(&token), rate.caller(&same));
}

#[test]
fn callers_that_are_quiet_again_are_forgotten() {
    let rate = limits(RateLimitBy::Credential);
    for caller in 0..CALLERS_MAX {
        let token = format!("Token {caller}");
        let request = request("/query", &[("authorization", &token)], "1.1.1.1:1");
        assert_eq!(rate.take(&request, Duration::ZERO), Ok(()));
    }
    let late = request("/query", &[("authorization", "Token late")], "1.1.1.1:1");
    assert_eq!(rate.take(&late, Duration::from_secs(1)), Ok(()));
    assert_eq!(locked_len(&rate), 1);
}

fn locked_len(rate: &RateLimit) -> usize {
    rate.full_at.lock().expect("no panic").len()
}
