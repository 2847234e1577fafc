//! What the DevOps module of Connect consists of: extensions ("services"), their environments, schedules and tasks.
//!
//! Source of the members: the schemas `eaas.*` of the official API, version 37.0, and its examples.

use serde_json::{Map, Number, Value};

use super::{EventLog, Reference};
use crate::{
    macros::{object, open_enum},
    wire::{Secret, TaskCategory},
};

open_enum! {
    /// Whether an account uses an extension.
    InstallationStatus {
        /// It does.
        Installed = "installed",
        /// It did.
        Uninstalled = "uninstalled",
    }

    /// For whom an extension is.
    ServiceType {
        /// For products, by their vendor.
        Products = "products",
        /// For a hub, by its distributor.
        Hub = "hub",
        /// For every account that installs it.
        MultiAccount = "multiaccount",
        /// For files of usage and prices.
        Transformations = "transformations",
    }

    /// Which environment of an extension it is.
    EnvironmentType {
        /// Where it is written.
        Development = "development",
        /// Where it is tried.
        Test = "test",
        /// Where it works.
        Production = "production",
    }

    /// Where an extension runs.
    Runtime {
        /// With its owner.
        Local = "local",
        /// With Connect.
        Cloud = "cloud",
    }

    /// Where an environment stands.
    EnvironmentStatus {
        /// Never started.
        Uninitialized = "uninitialized",
        /// Its image is being built.
        Building = "building",
        /// Its image is being deployed.
        Deploying = "deploying",
        /// It could run.
        Standby = "standby",
        /// It runs.
        Running = "running",
        /// It is being replaced by another version.
        Upgrading = "upgrading",
        /// It is being stopped.
        Stopping = "stopping",
        /// It is stopped.
        Stopped = "stopped",
        /// An instance is connected.
        Connected = "connected",
        /// No instance is connected.
        Disconnected = "disconnected",
        /// It is broken.
        Errored = "errored",
    }

    /// Where an instance stands.
    InstanceStatus {
        /// It is connected.
        Connected = "connected",
        /// It was.
        Disconnected = "disconnected",
        /// It will not be again.
        Decommissioned = "decommissioned",
    }

    /// Whether a schedule fires.
    ScheduleStatus {
        /// It does.
        Enabled = "enabled",
        /// It does not.
        Disabled = "disabled",
        /// Its method is gone.
        Obsolete = "obsolete",
        /// Its task is open.
        Pending = "pending",
    }

    /// When a schedule fires.
    TriggerType {
        /// Once.
        OneTime = "onetime",
        /// At the same distance each time.
        Recurring = "recurring",
        /// As a cron expression says.
        Advanced = "advanced",
    }

    /// The unit of a recurring schedule.
    TriggerUnit {
        /// Hours.
        Hours = "hours",
        /// Days.
        Days = "days",
        /// Weeks.
        Weeks = "weeks",
        /// Months.
        Months = "months",
    }

    /// Where a task stands.
    TaskStatus {
        /// Waits for an instance.
        Scheduled = "scheduled",
        /// Waits until its delay is over.
        Rescheduled = "rescheduled",
        /// With an instance.
        Processing = "processing",
        /// Done.
        Succeeded = "succeeded",
        /// Failed for good.
        Failed = "failed",
        /// Waits to be sent again.
        Retrying = "retrying",
        /// Not for this extension.
        Skipped = "skipped",
    }
}

object! {
    /// An extension, which the API calls a service.
    Service {
        /// Its id (`SRVC-…`).
        id = "id": String,
        /// For whom it is.
        r#type = "type": ServiceType,
        /// What people see.
        name = "name": Option<String>,
        /// What it does.
        description = "description": Option<String>,
        /// What it does, one line.
        short_description = "short_description": Option<String>,
        /// What it does, at length.
        overview = "overview": Option<String>,
        /// Where to read more.
        website = "website": Option<String>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// Its name for deployments.
        package_id = "package_id": Option<String>,
        /// The products it is for.
        products = "products": Vec<Reference>,
        /// The hub it is for.
        hub = "hub": Option<Box<Reference>>,
        /// Its other id (`EXT-…`).
        extension_id = "extension_id": Option<String>,
        /// The account it belongs to.
        owner = "owner": Option<Box<Owner>>,
        /// Its environments.
        environments = "environments": Option<Box<Environments>>,
        /// Where it stands in the catalogue.
        catalog_status = "catalog_status": Option<String>,
        /// Its category in the catalogue.
        category = "category": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// An account that owns or installs an extension.
    Owner {
        /// Its id.
        id = "id": String,
        /// The company's name.
        name = "name": Option<String>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// What it does.
        role = "role": super::AccountRole,
    }

    /// The environments of an extension.
    Environments {
        /// Where it is written.
        development = "development": Option<Box<Environment>>,
        /// Where it is tried.
        test = "test": Option<Box<Environment>>,
        /// Where it works.
        production = "production": Option<Box<Environment>>,
    }

    /// An environment of an extension.
    Environment {
        /// Its id (`ENV-…`).
        id = "id": String,
        /// Which one it is.
        r#type = "type": EnvironmentType,
        /// Where it runs.
        runtime = "runtime": Runtime,
        /// Another id of it.
        external_id = "external_id": Option<String>,
        /// Where it stands.
        status = "status": EnvironmentStatus,
        /// Where its source is.
        git = "git": Option<Box<Git>>,
        /// The address of its readme.
        readme_url = "readme_url": Option<String>,
        /// The address of its changelog.
        changelog_url = "changelog_url": Option<String>,
        /// The methods that a schedule may name.
        schedulables = "schedulables": Vec<DeclaredMethod>,
        /// The events it can handle, and which it does.
        capabilities = "capabilities": Vec<EventCapability>,
        /// What it may use.
        resources = "resources": Option<Box<Resources>>,
        /// What is switched on.
        features = "features": Option<Box<Value>>,
        /// The secret of callers of custom events.
        jwt_secret = "jwt_secret": Option<Secret>,
        /// How much it logs.
        log_level = "log_level": Option<String>,
        /// The name of its web application.
        hostname = "hostname": Option<String>,
        /// The domain of its web application.
        domain = "domain": Option<String>,
        /// Its variables.
        configuration = "configuration": Option<Box<Value>>,
        /// Whether its variables have changed since it started.
        configuration_changed = "configuration_changed": Option<bool>,
        /// What runs it.
        instances = "instances": Vec<Instance>,
        /// The extension.
        extension = "extension": Option<Box<ExtensionReference>>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// Web applications only.
        ui_modules = "ui_modules": Option<Box<Value>>,
        /// What it logged.
        logs = "logs": Vec<LogLine>,
    }

    /// A line of the log of an environment.
    LogLine {
        /// When, ISO 8601.
        timestamp = "timestamp": Option<String>,
        /// How urgent.
        log_level = "log_level": Option<String>,
        /// What it says.
        message = "message": Option<String>,
    }

    /// Where the source of an extension is.
    Git {
        /// The repository.
        url = "url": Option<String>,
        /// The tag.
        tag = "tag": Option<String>,
        /// The commit.
        commit = "commit": Option<String>,
        /// Who may read it.
        auth = "auth": Option<Box<GitAuth>>,
    }

    /// Who may read a repository.
    GitAuth {
        /// The name.
        username = "username": Option<String>,
        /// The password.
        password = "password": Option<Secret>,
    }

    /// A method that a schedule may name.
    DeclaredMethod {
        /// The key by which a schedule names it.
        method = "method": String,
        /// Its name for people.
        name = "name": Option<String>,
        /// What it does.
        description = "description": Option<String>,
    }

    /// An event that an environment can handle.
    EventCapability {
        /// The event type.
        id = "id": String,
        /// What people see.
        label = "label": Option<String>,
        /// What it belongs to.
        group = "group": Option<Box<EventGroup>>,
        /// processing or validation.
        category = "category": Option<String>,
        /// Whether it does handle it.
        enabled = "enabled": Option<bool>,
        /// The statuses, and whether it handles them.
        statuses = "statuses": Option<Box<Value>>,
    }

    /// What an event belongs to.
    EventGroup {
        /// Its id.
        id = "id": String,
        /// What people see.
        label = "label": Option<String>,
    }

    /// What an environment may use.
    Resources {
        /// Processors.
        cpu = "cpu": Option<Number>,
        /// Memory, in GiB.
        memory = "memory": Option<Number>,
    }

    /// A process that runs an extension.
    Instance {
        /// Its id (`INS-…`).
        id = "id": String,
        /// The last part of the path of its WebSocket.
        container_id = "container_id": Option<String>,
        /// Where it runs.
        runtime = "runtime": Runtime,
        /// Where it stands.
        status = "status": InstanceStatus,
        /// What broke it.
        error_output = "error_output": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// A variable of an environment.
    Variable {
        /// Its id.
        id = "id": String,
        /// Its name.
        name = "name": Option<String>,
        /// Its value; hidden from logs whether secure or not.
        value = "value": Option<Secret>,
        /// Whether Connect hides its value.
        secure = "secure": Option<bool>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// An event type, as Connect declares it.
    EventType {
        /// Its number.
        id = "id": Option<i64>,
        /// The event type itself.
        r#type = "type": Option<String>,
        /// system or user.
        source = "source": Option<String>,
        /// What people see.
        name = "name": Option<String>,
        /// What it means.
        description = "description": Option<String>,
        /// How its tasks are handled.
        category = "category": TaskCategory,
        /// What it belongs to.
        group = "group": Option<String>,
        /// Which extensions may handle it.
        extension_type = "extension_type": Option<String>,
        /// The statuses one may subscribe to.
        object_statuses = "object_statuses": Vec<String>,
    }

    /// An extension in an account, for multi-account extensions.
    Installation {
        /// Its id (`EIN-…`).
        id = "id": String,
        /// Whether it is in use.
        status = "status": InstallationStatus,
        /// The account.
        owner = "owner": Option<Box<Owner>>,
        /// The environment of the extension.
        environment = "environment": Option<Box<Environment>>,
        /// The account's settings for the extension.
        settings = "settings": Map<String, Value>,
        /// A note for people.
        comment = "comment": Option<String>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// A short form of an extension.
    ExtensionReference {
        /// Its id (`SRVC-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// The account it belongs to.
        owner = "owner": Option<Box<Owner>>,
        /// The path of its icon below `/media/`.
        icon = "icon": Option<String>,
        /// Its other id (`EXT-…`).
        extension_id = "extension_id": Option<String>,
    }

    /// When to run a method of the extension.
    Schedule {
        /// Its id (`EFS-…`).
        id = "id": String,
        /// What people see.
        name = "name": Option<String>,
        /// What it is for.
        description = "description": Option<String>,
        /// The method to run: the key of a declared one.
        method = "method": String,
        /// Whatever the method wants to know.
        parameter = "parameter": Map<String, Value>,
        /// When to run it.
        trigger = "trigger": Option<Box<Trigger>>,
        /// The environment of the extension.
        environment = "environment": Option<Box<Environment>>,
        /// Whether it fires.
        status = "status": ScheduleStatus,
        /// Why it does not.
        reason = "reason": Option<String>,
        /// What happened to it; `last_triggered` and `next_trigger` too.
        events = "events": Option<Box<EventLog>>,
    }

    /// When a schedule fires.
    Trigger {
        /// In which way.
        r#type = "type": TriggerType,
        /// The moment, for one time, ISO 8601.
        date = "date": Option<String>,
        /// The first moment, ISO 8601.
        start = "start": Option<String>,
        /// The last moment, ISO 8601.
        end = "end": Option<String>,
        /// The unit of the distance.
        unit = "unit": TriggerUnit,
        /// How many units.
        amount = "amount": Option<i64>,
        /// When, for an advanced one; five fields.
        cron_expression = "cron_expression": Option<String>,
    }

    /// A task, as the API shows it; what the WebSocket carries is [`wire::Task`](crate::wire::Task).
    Task {
        /// Its id (`TQ-…`).
        id = "id": String,
        /// What it is about.
        object = "object": Option<Box<TaskObject>>,
        /// Where it stands.
        status = "status": TaskStatus,
        /// The instance that has it.
        assignee = "assignee": Option<String>,
        /// What the extension said.
        output = "output": Option<String>,
        /// The environment of the extension.
        environment = "environment": Option<Box<Environment>>,
        /// The account it is for.
        owner = "owner": Option<Box<Owner>>,
        /// The installation it is for.
        installation = "installation": Option<Box<Reference>>,
        /// How often it was sent again.
        retry_count = "retry_count": Option<i64>,
        /// How often the extension put it off.
        rescheduled_count = "rescheduled_count": Option<i64>,
        /// How long the extension worked on it, seconds.
        runtime_total = "runtime_total": Option<Number>,
        /// How long it was with an instance, seconds.
        processing_total = "processing_total": Option<Number>,
        /// What happened to it.
        events = "events": Option<Box<EventLog>>,
    }

    /// What a task is about.
    TaskObject {
        /// The object.
        id = "id": String,
        /// The event type.
        r#type = "type": Option<String>,
        /// How it is handled.
        category = "category": TaskCategory,
    }

    /// A webhook: an address that Connect calls when something happens.
    Webhook {
        /// Its id (`WB-…`).
        id = "id": String,
        /// What it is for: event, validator, `inquiring_validator`, `draft_tcr_t1_val`, …
        r#type = "type": Option<String>,
        /// What it is about: `fulfillment_request`, `tier_config_request`, …
        object_class = "object_class": Option<String>,
        /// What people see.
        label = "label": Option<String>,
        /// What it is for, in words.
        description = "description": Option<String>,
        /// Whether it is called.
        active = "active": Option<bool>,
        /// The address.
        external_url = "external_url": Option<String>,
        /// How it is called.
        http_method = "http_method": Option<String>,
        /// The secret that signs the token of the call.
        jwt_secret = "jwt_secret": Option<Secret>,
        /// Whose objects it is about.
        product = "product": Option<Box<Reference>>,
        /// The headers of the call.
        headers = "headers": Option<Box<Value>>,
        /// What else the call carries.
        data = "data": Option<Box<Value>>,
    }
}
