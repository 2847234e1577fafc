//! Usage files, their records and chunks.

use axum::{
    body::Body,
    extract::{DefaultBodyLimit, FromRequest, Multipart, Request},
    http::{
        StatusCode,
        header::{CONTENT_DISPOSITION, CONTENT_TYPE, HOST, X_CONTENT_TYPE_OPTIONS},
    },
    response::{IntoResponse, Response},
};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC};
use rust_xlsxwriter::XlsxError;
use serde_json::{Value, json};

use super::{Call, acted, created, ok};
use crate::{
    api_error::ApiError,
    core::Core,
    role::Role,
    transitions::{USAGE_CHUNKS, USAGE_FILES, USAGE_RECORDS},
    usage::{Part, Upload, chunks, export, files, records, sheet},
    who::wrong,
};

const XLSX: &str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
/// What has to be encoded in a segment of an address.
const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
/// The path of what can be fetched without a key, by who was told the whole address.
pub(crate) const MEDIA: &str = "/media/";

/// Whether a call uploads a file; the path is what is below `/public/v1`.
pub(super) fn is_upload(path: &str) -> bool {
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    matches!(segments.as_slice(), ["usage", "files", _, "upload" | "reconciliation"])
}

pub(super) async fn answer(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    let Some((_, rest)) = path.split_first() else { return Err(ApiError::not_found()) };
    match rest {
        ["files", rest @ ..] => of_files(call, rest).await,
        ["records", rest @ ..] => of_records(call, rest).await,
        ["chunks", rest @ ..] => of_chunks(call, rest).await,
        ["products", product, "template"] if call.route() == "GET" => {
            call.core.read(|world| world.get("products", product))?;
            Ok(ok(&json!({"template_link": link(call, &["products", product, "template.xlsx"])})))
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn of_files(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", []) => call.list(USAGE_FILES).await,
        ("POST", []) => Ok(created(&call.change(|world| files::create(world, &call.body))?)),
        ("GET", [id]) => shown(call, id),
        ("PUT", [id]) => {
            call.change(|world| files::change(world, id, &call.body))?;
            shown(call, id)
        }
        ("GET", [id, "categories"]) => {
            call.core.read(|world| world.get(USAGE_FILES, id))?;
            call.list(&files::categories_of(id)).await
        }
        ("POST", [id, "upload"]) => {
            let (name, content) = sent(call, "usage_file").await?;
            call.change(|world| files::upload(world, id, &Upload { name: &name, content: &content }))?;
            process(call, id, content).await?;
            shown(call, id)
        }
        ("POST", [id, "reconciliation"]) => {
            let (name, content) = sent(call, "recon_file").await?;
            call.change(|world| files::reconcile(world, id, &Upload { name: &name, content: &content }))?;
            shown(call, id)
        }
        ("POST", [id, "reprocess"]) => {
            let (_, content) = call.change(|world| {
                files::act(world, id, "reprocess", &Value::Null)?;
                files::kept(world, id, Part::Uploaded)
            })?;
            process(call, id, content).await?;
            shown(call, id)
        }
        ("POST", [id, action @ ("submit" | "accept" | "reject" | "close" | "delete")])
        | ("PUT", [id, action @ "approve-all"]) => {
            let file = call.change(|world| files::act(world, id, action, &call.body))?;
            if file["status"] == "accepted" {
                call.core.change(Role::Platform, |world| chunks::ready(world, &file))?;
            }
            shown(call, id)
        }
        _ => Err(ApiError::not_found()),
    }
}

/// Looks at what was uploaded, as the platform does after that.
async fn process(call: &Call<'_>, id: &str, content: Vec<u8>) -> Result<(), ApiError> {
    call.core.change(Role::Platform, |world| files::begin(world, id))?;
    let book = tokio::task::spawn_blocking(move || sheet::read(&content)).await;
    let book = book.unwrap_or_else(|error| Err(format!("The file can't be read: {error}.")));
    call.core.change(Role::Platform, |world| files::process(world, id, book))?;
    Ok(())
}

/// Answers a usage file, with the addresses of its files.
fn shown(call: &Call<'_>, id: &str) -> Result<Response, ApiError> {
    let mut file = call.core.read(|world| world.get(USAGE_FILES, id))?;
    for part in files::parts(&file).collect::<Vec<_>>() {
        let uri = link(call, &["files", id, part.name(), &part.file_name(id)]);
        crate::fulfillment::set(&mut file, part.member(), uri);
    }
    Ok(ok(&file))
}

/// The address of something that can be fetched without a key.
fn link(call: &Call<'_>, path: &[&str]) -> String {
    // The port takes http whatever the call came by.
    let host = call.headers.get(HOST).and_then(|host| host.to_str().ok());
    let origin = host.map_or_else(String::new, |host| format!("http://{host}"));
    let segments: Vec<String> = path
        .iter()
        .map(|segment| percent_encoding::utf8_percent_encode(segment, SEGMENT).to_string())
        .collect();
    format!("{origin}{MEDIA}{}/usage/{}", call.core.setup.media_token.expose(), segments.join("/"))
}

/// The file that a form has in a field, and its name.
async fn sent(call: &Call<'_>, field: &str) -> Result<(String, Vec<u8>), ApiError> {
    let mut request = Request::new(Body::from(call.bytes.clone()));
    *request.headers_mut() = call.headers.clone();
    // The limit of the path was looked at before.
    DefaultBodyLimit::disable().apply(&mut request);
    let broken = |error: String| wrong(field, &format!("The form can't be read: {error}."));
    let mut form = Multipart::from_request(request, &()).await.map_err(|error| broken(error.body_text()))?;
    while let Some(part) = form.next_field().await.map_err(|error| broken(error.body_text()))? {
        if part.name() == Some(field) {
            let name = part.file_name().unwrap_or_default().to_owned();
            let content = part.bytes().await.map_err(|error| broken(error.body_text()))?;
            if content.is_empty() {
                return Err(wrong(field, "The submitted file is empty."));
            }
            return Ok((name, content.to_vec()));
        }
    }
    Err(wrong(field, "No file was submitted."))
}

async fn of_records(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    match (call.route(), path) {
        ("GET", []) => call.list(USAGE_RECORDS).await,
        ("GET", [id]) => call.one(USAGE_RECORDS, id),
        ("POST", ["close-records"]) => {
            let bills = call.body.as_array();
            let bills =
                bills.ok_or_else(|| ApiError::bad("VAL_001", "Invalid data. Expected a list of items."))?;
            let told = call.change(|world| records::close_many(world, bills))?;
            Ok((StatusCode::PARTIAL_CONTENT, ok(&told.into())).into_response())
        }
        ("PUT", [id]) => {
            call.check_body()?;
            Ok(ok(&call.change(|world| records::change(world, id, &call.body))?))
        }
        ("POST", [id, "close"]) => {
            call.check_body()?;
            Ok(ok(&call.change(|world| records::close(world, id, &call.body))?))
        }
        _ => Err(ApiError::not_found()),
    }
}

async fn of_chunks(call: &Call<'_>, path: &[&str]) -> Result<Response, ApiError> {
    if call.route() != "GET" {
        call.check_body()?;
    }
    match (call.route(), path) {
        ("GET", []) => call.list(USAGE_CHUNKS).await,
        ("GET", [id]) => call.one(USAGE_CHUNKS, id),
        ("GET", [id, "download"]) => {
            let (file, records) = call.core.read(|world| {
                let chunk = world.get(USAGE_CHUNKS, id)?;
                chunks::records_of(world, &chunk)
            })?;
            workbook(&format!("{id}.xlsx"), move || export::records(&file, &records)).await
        }
        ("PUT", [id]) => Ok(ok(&call.change(|world| chunks::change(world, id, &call.body))?)),
        ("POST", [id, action @ ("close" | "regenerate")]) => {
            let chunk = call.change(|world| chunks::act(world, id, action, &call.body))?;
            Ok(acted(USAGE_CHUNKS, action, &chunk))
        }
        _ => Err(ApiError::not_found()),
    }
}

/// Answers a workbook, made where it keeps nobody waiting.
async fn workbook(
    name: &str,
    make: impl FnOnce() -> Result<Vec<u8>, XlsxError> + Send + 'static,
) -> Result<Response, ApiError> {
    let failed = |error: &dyn std::fmt::Display| {
        ApiError::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "USAGE_001",
            format!("The workbook can't be made: {error}."),
        )
    };
    let content = tokio::task::spawn_blocking(make).await.map_err(|error| failed(&error))?;
    Ok(file(name, XLSX, content.map_err(|error| failed(&error))?))
}

fn file(name: &str, kind: &'static str, content: Vec<u8>) -> Response {
    // Whoever uploads a file chooses its name.
    let name: String = name
        .chars()
        .map(|char| if char.is_ascii_alphanumeric() || "-_.".contains(char) { char } else { '_' })
        .collect();
    let headers = [
        (CONTENT_TYPE, kind.to_owned()),
        (CONTENT_DISPOSITION, format!("attachment; filename=\"{name}\"")),
        // It is of the console's origin, and may hold anything.
        (X_CONTENT_TYPE_OPTIONS, "nosniff".to_owned()),
    ];
    (headers, content).into_response()
}

/// Answers what an address leads to that was told before; the path is what is below [`MEDIA`].
pub(crate) async fn media(core: &Core, path: &str) -> Result<Response, ApiError> {
    let segments: Vec<String> = path
        .split('/')
        .map(|segment| percent_encoding::percent_decode_str(segment).decode_utf8_lossy().into_owned())
        .collect();
    let segments: Vec<&str> = segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [token, "usage", rest @ ..] if *token == core.setup.media_token.expose() => match rest {
            ["products", product, "template.xlsx"] => {
                let product = core.read(|world| world.get("products", product))?;
                workbook("template.xlsx", move || export::template(&product)).await
            }
            ["files", id, part, _] => {
                let part =
                    Part::ALL.into_iter().find(|own| own.name() == *part).ok_or_else(ApiError::not_found)?;
                of_file(core, id, part).await
            }
            _ => Err(ApiError::not_found()),
        },
        _ => Err(ApiError::not_found()),
    }
}

async fn of_file(core: &Core, id: &str, part: Part) -> Result<Response, ApiError> {
    if part == Part::Processed {
        let (usage_file, records) = core.read(|world| {
            let file = world.get(USAGE_FILES, id)?;
            let records = records::of(world, &file)?;
            Ok((file, records))
        })?;
        return workbook(&part.file_name(id), move || export::records(&usage_file, &records)).await;
    }
    let (name, content) = core.read(|world| files::kept(world, id, part))?;
    Ok(file(&name, "application/octet-stream", content))
}
