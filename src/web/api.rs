//! The JSON answers beside the stream.

use std::str::FromStr;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, RawQuery, State};
use serde::Deserialize;
use serde::de::IntoDeserializer;
use serde::de::value::{Error as WordError, StrDeserializer};
use serde_json::{Value, json};

use super::{EntryView, Error, Shared};
use crate::feed::{Filter, Page};

/// Anomalies in one answer when nothing else is asked for.
const PAGE_EVENTS: u64 = 50;
/// Anomalies in one answer at most: some 300 kB.
const PAGE_EVENTS_MAX: u64 = 200;

pub(super) async fn about(State(shared): State<Shared>) -> Json<Value> {
    let about = &*shared.site.about;
    Json(json!({
        "product": "Rollcall",
        "version": env!("CARGO_PKG_VERSION"),
        "demo": about.demo,
        "origin": about.origin,
        "policy": about.policy,
        "verify": about.verify,
    }))
}

pub(super) async fn healthz(State(shared): State<Shared>) -> Result<Json<Value>, Error> {
    let day = String::new();
    shared.site.feed.totals(day).await.map_err(Error::internal)?;
    Ok(Json(json!({ "status": "ok" })))
}

pub(super) async fn figures(State(shared): State<Shared>) -> Result<Json<Value>, Error> {
    let now = shared.site.clock.now();
    let day = now.shanghai().date().to_string();
    let totals = shared.site.feed.totals(day.clone()).await.map_err(Error::internal)?;
    let entries = Arc::clone(&shared.site.entries);
    let count = blocking(move || entries.count().map_err(Error::internal)).await?;
    Ok(Json(json!({
        "now_ms": now,
        "day": day,
        "attendances": totals.attendances,
        "anomalies": {
            "alarm": totals.alarms,
            "warning": totals.warnings,
            "notice": totals.notices,
        },
        "terminals": { "online": totals.terminals_online, "all": totals.terminals },
        "entries": count,
    })))
}

pub(super) async fn anomalies(
    State(shared): State<Shared>,
    RawQuery(query): RawQuery,
) -> Result<Json<Page>, Error> {
    let query = Query::of(query.as_deref());
    let limit = query.number("limit")?.unwrap_or(PAGE_EVENTS);
    if !(1..=PAGE_EVENTS_MAX).contains(&limit) {
        return Err(Error::bad_request(
            format!("limit 应在 1 到 {PAGE_EVENTS_MAX} 之间。"),
            format!("limit must be between 1 and {PAGE_EVENTS_MAX}"),
        ));
    }
    let filter = Filter { severity: query.word("severity")?, kind: query.word("kind")? };
    let before = query.number("before")?;
    let page = shared.site.feed.anomalies(before, limit, filter).await.map_err(Error::internal)?;
    Ok(Json(page))
}

pub(super) async fn entry(
    State(shared): State<Shared>,
    Path(index): Path<String>,
) -> Result<Json<EntryView>, Error> {
    let index = number("index", &index)?;
    let entries = Arc::clone(&shared.site.entries);
    blocking(move || entries.entry(index).map_err(Error::internal))
        .await?
        .map(|entry| Json(EntryView::of(&entry)))
        .ok_or_else(|| {
            Error::not_found(
                format!("账本中没有第 {index} 条。"),
                format!("the ledger has no entry {index}"),
            )
        })
}

/// Runs a read on a thread that may block.
pub(super) async fn blocking<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(read).await.unwrap_or_else(|join| Err(Error::internal(join)))
}

/// The part of the address after `?`. Our values are numbers and plain words, so there is nothing
/// to unescape.
pub(super) struct Query<'q>(Vec<(&'q str, &'q str)>);

impl<'q> Query<'q> {
    pub(super) fn of(query: Option<&'q str>) -> Self {
        let pairs = query.unwrap_or("").split('&').filter_map(|pair| pair.split_once('='));
        Self(pairs.filter(|(_, value)| !value.is_empty()).collect())
    }

    fn get(&self, name: &str) -> Option<&'q str> {
        self.0.iter().find(|(key, _)| *key == name).map(|(_, value)| *value)
    }

    /// A plain word.
    pub(super) fn text(&self, name: &str) -> Option<&'q str> {
        self.get(name)
    }

    pub(super) fn number(&self, name: &'static str) -> Result<Option<u64>, Error> {
        self.get(name).map(|text| number(name, text)).transpose()
    }

    /// One of the stable words of an enum.
    fn word<T: for<'de> Deserialize<'de>>(&self, name: &'static str) -> Result<Option<T>, Error> {
        let Some(text) = self.get(name) else { return Ok(None) };
        let word: StrDeserializer<'_, WordError> = text.into_deserializer();
        T::deserialize(word).map(Some).map_err(|error| {
            Error::bad_request(format!("{name} 的值无效。"), format!("{name}: {error}"))
        })
    }
}

/// A whole number that a reader sent.
pub(super) fn number(name: &str, text: &str) -> Result<u64, Error> {
    // `from_str` takes a leading plus, which no number of ours has.
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    u64::from_str(text).ok().filter(|_| digits).ok_or_else(|| {
        Error::bad_request(
            format!("{name} 应为非负整数。"),
            format!("{name} must be a whole number without sign"),
        )
    })
}
