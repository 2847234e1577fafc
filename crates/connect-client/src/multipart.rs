//! Bodies of several parts, with which Connect takes files.
//!
//! ```no_run
//! # async fn run(client: connect_client::Client) -> Result<(), connect_client::Error> {
//! use connect_client::multipart::Form;
//!
//! let form = Form::new().file("recon_file", "march.xlsx").text("upload_note", "March, second try");
//! client.ns("usage").collection("reconciliations").create_empty().multipart(form).await?;
//! # Ok(())
//! # }
//! ```

use std::path::{Path, PathBuf};

use bytes::Bytes;

/// A body of several parts, sent as `multipart/form-data`.
///
/// Files are read from the disk while they are sent, and read again for a further try.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Form {
    pub(crate) parts: Vec<Part>,
}

#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: String,
    pub(crate) file_name: Option<String>,
    pub(crate) content_type: Option<String>,
    pub(crate) content: Content,
}

#[derive(Clone, Debug)]
pub(crate) enum Content {
    Bytes(Bytes),
    File(PathBuf),
}

impl Form {
    /// A form without parts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a plain field.
    pub fn text(self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.part(name, None, None, Content::Bytes(value.into().into()))
    }

    /// Adds a file of the disk, under the name it has there. What is not readable is told when the call is sent.
    pub fn file(self, name: impl Into<String>, path: impl AsRef<Path>) -> Self {
        let path = path.as_ref();
        let file_name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        self.part(name, file_name, None, Content::File(path.to_owned()))
    }

    /// Adds a file whose content is at hand.
    pub fn bytes(
        self,
        name: impl Into<String>,
        file_name: impl Into<String>,
        content: impl Into<Bytes>,
    ) -> Self {
        self.part(name, Some(file_name.into()), None, Content::Bytes(content.into()))
    }

    /// Says of which type the part added last is, such as `text/csv`; by default nothing is said.
    pub fn content_type(mut self, content_type: impl Into<String>) -> Self {
        if let Some(part) = self.parts.last_mut() {
            part.content_type = Some(content_type.into());
        }
        self
    }

    fn part(
        mut self,
        name: impl Into<String>,
        file_name: Option<String>,
        content_type: Option<String>,
        content: Content,
    ) -> Self {
        self.parts.push(Part { name: name.into(), file_name, content_type, content });
        self
    }
}
