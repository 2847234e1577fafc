use connect_model::rql::R;
use serde_json::{Value, json};

use crate::{Client, Error};

/// Writes into the conversation about an object. Connect opens one for each request by itself.
pub(super) async fn note(client: &Client, about: &str, text: String) -> Result<(), Error> {
    let conversations = client.collection("conversations");
    let conversation: Option<Value> = conversations.filter(R::field("instance_id").eq(about)).first().await?;
    let id = conversation.as_ref().and_then(|conversation| conversation["id"].as_str());
    let id = id.ok_or_else(|| Error::missing(format!("Connect has no conversation about {about}")))?;
    conversations.resource(id).collection("messages").create(&json!({"text": text})).empty().await
}
