use connect_model::wire::TaskOutput;

/// Something that happened in the sandbox.
///
/// A subscriber that is more than 4096 of them behind misses the oldest
/// ([`RecvError::Lagged`](tokio::sync::broadcast::error::RecvError::Lagged)).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Activity {
    /// A runner connected and said what it handles.
    RunnerConnected {
        /// Its instance.
        instance: String,
    },
    /// A connection of a runner ended.
    RunnerDisconnected {
        /// Its instance.
        instance: String,
    },
    /// A task went out.
    TaskSent {
        /// The task.
        task_id: String,
        /// Its event.
        event_type: String,
        /// What it is about.
        object_id: String,
    },
    /// A task was answered.
    TaskAnswered {
        /// The task.
        task_id: String,
        /// Its event.
        event_type: String,
        /// What it is about.
        object_id: String,
        /// The answer.
        output: Box<TaskOutput>,
    },
    /// A task was not answered, or not even taken, in time: it is tried again, or has failed.
    TaskExpired {
        /// The task.
        task_id: String,
        /// Its event.
        event_type: String,
        /// What it is about.
        object_id: String,
    },
    /// A request was added, or entered another status.
    RequestChanged {
        /// The request.
        id: String,
        /// The status.
        status: String,
    },
    /// Something other than a request was added, or entered another status.
    ObjectChanged {
        /// Where it is: the path of its list below `/public/v1`.
        collection: String,
        /// Its id.
        id: String,
        /// The status; empty where it has none.
        status: String,
    },
}
