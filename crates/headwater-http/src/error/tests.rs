use super::*;

async fn body(response: Response) -> String {
    let bytes = axum::body::to_bytes(response.into_body(), 1 << 20)
        .await
        .unwrap();
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[tokio::test]
async fn the_body_is_readable_for_clients_of_both_generations() {
    let error = Error::not_found("no dbrp mapping found").v1("database not found: \"<x>\"");
    let response = error.clone().into_response();
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert_eq!(
        response.headers()["content-type"],
        "application/json; charset=utf-8"
    );
    assert_eq!(response.headers()["x-platform-error-code"], "not found");
    assert_eq!(
        body(response).await,
        r#"{"code":"not found","message":"no dbrp mapping found","error":"database not found: \"\u003cx\u003e\""}"#
    );
    assert_eq!(
        body(Indented(error).into_response()).await,
        "{\n\t\"code\": \"not found\",\n\t\"message\": \"no dbrp mapping found\",\n\t\"error\": \
         \"database not found: \\\"\\u003cx\\u003e\\\"\"\n}"
    );
}

#[tokio::test]
async fn refused_credentials_are_challenged() {
    let response = Error::no_credentials().into_response();
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(
        response.headers()["www-authenticate"],
        "Basic realm=\"InfluxDB\""
    );
}

#[tokio::test]
async fn wrong_methods_name_the_right_ones() {
    let response = Error::method_not_allowed("OPTIONS, POST").into_response();
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "OPTIONS, POST");
    assert!(body(response).await.contains("\"allow: OPTIONS, POST\""));
}

#[tokio::test]
async fn internal_errors_keep_their_cause_to_the_log() {
    let response = Error::internal("disk /dev/x is broken").into_response();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!body(response).await.contains("disk"));
}

#[tokio::test]
async fn back_pressure_says_when_to_come_back() {
    let error = Error::unavailable("full", StatusCode::SERVICE_UNAVAILABLE);
    let response = error.into_response();
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(response.headers()["x-platform-error-code"], "unavailable");
}
