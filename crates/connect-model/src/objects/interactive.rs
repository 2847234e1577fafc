use serde_json::{Map, Value};

use crate::macros::object;

object! {
    /// Somebody pressed a product's action button.
    ProductAction {
        /// The HTTP method of the call.
        method = "method": Option<String>,
        /// The query, each name with its values; `jwt` is the token of the call.
        querystring = "querystring": Map<String, Value>,
        /// The headers of the call.
        headers = "headers": Map<String, Value>,
        /// The form of the call, where it was a form.
        form_data = "form_data": Map<String, Value>,
        /// What the token says.
        jwt_payload = "jwt_payload": Option<JwtPayload>,
    }

    /// What the token of a product action says.
    JwtPayload {
        /// The action's name in the product.
        action_id = "action_id": Option<String>,
        /// The address of Connect's API.
        api_url = "api_url": Option<String>,
        /// The asset the button belongs to.
        asset_id = "asset_id": Option<String>,
        /// The tier configuration the button belongs to.
        configuration_id = "configuration_id": Option<String>,
        /// When the token ends, seconds since 1970.
        exp = "exp": Option<i64>,
    }

    /// A third party called the extension through Connect.
    CustomEvent {
        /// The HTTP method of the call.
        method = "method": Option<String>,
        /// The headers of the call.
        headers = "headers": Map<String, Value>,
        /// The query of the call, each name with its values.
        querystring = "querystring": Map<String, Value>,
        /// The body of the call.
        body = "body": Option<Value>,
    }
}
