use super::{EventLog, Reference};
use crate::macros::{object, open_enum};

open_enum! {
    /// What a conversation is for.
    ConversationType {
        /// Talk between accounts.
        Conversation = "conversation",
        /// Notes of one account.
        Notes = "notes",
    }

    /// Whether a conversation goes on.
    ConversationStatus {
        /// It does.
        Open = "open",
        /// It is over.
        Closed = "closed",
    }

    /// Who reads a message.
    MessageType {
        /// Everybody in the conversation.
        Message = "message",
        /// Everybody; it says why a status changed.
        StateChange = "state_change",
        /// The account that wrote it.
        Private = "private",
    }

    /// What a helpdesk case is about.
    CaseType {
        /// Technology.
        Technical = "technical",
        /// Business.
        Business = "business",
    }

    /// Where a helpdesk case stands.
    CaseState {
        /// The receiver has to do something.
        Pending = "pending",
        /// The issuer has to do something.
        Inquiring = "inquiring",
        /// The receiver has done it.
        Resolved = "resolved",
        /// It is over.
        Closed = "closed",
    }
}

object! {
    /// What accounts say to each other about an object.
    Conversation {
        /// Its id (`CO-…`).
        id = "id": String,
        /// The object it is about.
        instance_id = "instance_id": Option<String>,
        /// What it is about, in words.
        topic = "topic": Option<String>,
        /// What it is for.
        r#type = "type": ConversationType,
        /// Whether it goes on.
        status = "status": ConversationStatus,
        /// Who takes part.
        accounts = "accounts": Vec<Reference>,
        /// Who began it.
        creator = "creator": Option<Box<Reference>>,
        /// When it began, ISO 8601.
        created = "created": Option<String>,
        /// What was said, in older answers.
        messages = "messages": Vec<ConversationMessage>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// Something that was said in a conversation.
    ConversationMessage {
        /// Its id (`ME-…`).
        id = "id": String,
        /// The conversation.
        conversation = "conversation": Option<String>,
        /// Whose message it is.
        account = "account": Option<Box<Reference>>,
        /// Who wrote it.
        creator = "creator": Option<Box<Reference>>,
        /// When, ISO 8601.
        created = "created": Option<String>,
        /// What it says.
        text = "text": Option<String>,
        /// Who reads it.
        r#type = "type": MessageType,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// A case of the helpdesk.
    Case {
        /// Its id (`CA-…`).
        id = "id": String,
        /// What it is about, one line.
        subject = "subject": Option<String>,
        /// What it is about.
        description = "description": Option<String>,
        /// From 0, low, to 3, urgent.
        priority = "priority": Option<i64>,
        /// Where it stands.
        state = "state": CaseState,
        /// What it is about.
        r#type = "type": CaseType,
        /// Who opened it.
        issuer = "issuer": Option<Box<CaseParty>>,
        /// Who has to solve it.
        receiver = "receiver": Option<Box<CaseParty>>,
        /// The product it is about.
        product = "product": Option<Box<Reference>>,
        /// What the issuer thinks of the solution, from 1 to 5.
        rating = "rating": Option<i64>,
        /// What the issuer says about the solution.
        feedback = "feedback": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// One side of a helpdesk case.
    CaseParty {
        /// The account.
        account = "account": Option<Box<Reference>>,
        /// Who works on it.
        agent = "agent": Option<Box<Reference>>,
        /// Who is told about it.
        recipients = "recipients": Vec<Reference>,
    }

    /// What Connect answers when it refuses something.
    ErrorBody {
        /// What went wrong: `REQ_003`, `VAL_001`, …
        error_code = "error_code": Option<String>,
        /// What went wrong, in words.
        errors = "errors": Vec<String>,
        /// What it is about.
        params = "params": Option<Box<serde_json::Value>>,
    }
}
