use super::*;

#[tokio::test]
async fn a_panic_becomes_an_internal_error() {
    assert_eq!(CatchPanic::new(async { 1 }).await.unwrap(), 1);
    let panic = CatchPanic::new(async { panic!("boom") })
        .await
        .map(|(): ()| ())
        .unwrap_err();
    let response = respond("/x", panic);
    assert_eq!(response.status(), 500);
    let body = axum::body::to_bytes(response.into_body(), 1000)
        .await
        .unwrap();
    assert!(!String::from_utf8_lossy(&body).contains("boom"));
}
