//! `headwater serve`: opens the data directory, listens, and stops cleanly on SIGTERM or Ctrl-C.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use headwater_http::Tls;
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

use crate::{
    demo,
    settings::{Flags, Layers, LogFormat, Settings, TlsFiles},
    wire::{self, Wired},
};

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    settings: Flags,
    /// Set up an empty data directory with a demo organization and print its token
    #[arg(long)]
    demo: bool,
}

pub(crate) fn run(args: Args) -> Result<()> {
    let settings = Layers::load(&args.settings, std::env::vars())?.settings;
    start_log(&settings)?;
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?
        .block_on(serve(settings, args.demo))
}

fn start_log(settings: &Settings) -> Result<()> {
    let mut filter = EnvFilter::try_new(&settings.log.filter)?;
    // What they say below that may show headers, and so credentials.
    for quiet in ["h2=info", "hyper=info", "hyper_util=info", "rustls=info"] {
        filter = filter.add_directive(quiet.parse().expect("constant directives are well formed"));
    }
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    match settings.log.format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).init(),
    }
    Ok(())
}

async fn serve(settings: Settings, demo: bool) -> Result<()> {
    info!(
        "headwater {} with its data in {}",
        env!("CARGO_PKG_VERSION"),
        settings.storage.data_dir.display()
    );
    let wired = wire::open(&settings).await?;
    let docker = demo::docker_setup(&wired.catalog).await?;
    let bind = settings.server.bind;
    let listener = TcpListener::bind(bind)
        .await
        .with_context(|| format!("cannot listen on {bind}"))?;
    let address = listener.local_addr()?;
    let tls = tls(&settings)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    if demo {
        demo::set_up(&wired.catalog, address).await?;
    }
    if !docker && wired.catalog.state().is_setup_allowed() {
        warn!(
            "not set up yet: POST /api/v2/setup, run `headwater setup --host {scheme}://{address} \
             --username … --org … --bucket …`, or start with DOCKER_INFLUXDB_INIT_MODE=setup and \
             its companions"
        );
    }
    info!("listening on {scheme}://{address}");
    serve_until_told(listener, wired, tls, &settings).await
}

fn tls(settings: &Settings) -> Result<Option<Arc<Tls>>> {
    let TlsFiles { certificate, key } = &settings.tls;
    if certificate.as_os_str().is_empty() {
        return Ok(None);
    }
    let tls = Tls::open(certificate, key).context("cannot speak TLS")?;
    Ok(Some(Arc::new(tls)))
}

async fn serve_until_told(
    listener: TcpListener,
    wired: Wired,
    tls: Option<Arc<Tls>>,
    settings: &Settings,
) -> Result<()> {
    let limit = settings.server.shutdown_limit;
    let (told, mut wait) = tokio::sync::watch::channel(false);
    let mut on_told = wait.clone();
    tokio::spawn(reload_on_hangup(tls.clone()));
    let stop = async move {
        let _ = on_told.wait_for(|told| *told).await;
    };
    let serving = headwater_http::serve(listener, wired.routes, tls, &settings.http, stop);
    let overdue = async {
        let _ = wait.wait_for(|told| *told).await;
        tokio::time::sleep(limit).await;
    };
    tokio::spawn(async move {
        let signal = stop_signal().await;
        info!("stopping on {signal}: finishing requests, for {limit:?} at most");
        let _ = told.send(true);
    });
    tokio::select! {
        () = serving => {}
        () = overdue => warn!("requests were still running after {limit:?}"),
    }
    wired
        .engine
        .close()
        .await
        .map_err(|error| anyhow!("closing the storage engine: {error}"))?;
    info!("stopped");
    Ok(())
}

/// Takes SIGHUP as the wish to have the certificate read again.
async fn reload_on_hangup(tls: Option<Arc<Tls>>) {
    let mut hangups = signal(SignalKind::hangup()).expect("signals can be listened to");
    while hangups.recv().await.is_some() {
        match tls.as_ref().map(|tls| tls.reload()) {
            None => info!("SIGHUP: there is no certificate to read again"),
            Some(Ok(())) => info!("SIGHUP: read the certificate again"),
            Some(Err(error)) => warn!("SIGHUP: the old certificate stays in use: {error}"),
        }
    }
}

async fn stop_signal() -> &'static str {
    let mut terminate = signal(SignalKind::terminate()).expect("signals can be listened to");
    tokio::select! {
        _ = terminate.recv() => "SIGTERM",
        _ = tokio::signal::ctrl_c() => "Ctrl-C",
    }
}
