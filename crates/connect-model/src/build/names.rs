//! What companies, people and places are called. The mail addresses are below `example.com`, the telephone numbers are
//! those that are reserved for fiction.

pub(super) const FIRST_NAMES: [&str; 16] = [
    "Ada", "Bruno", "Carmen", "Daniel", "Elena", "Farid", "Grace", "Hiro", "Ines", "Jonas", "Keiko", "Luis",
    "Maria", "Noah", "Olga", "Pablo",
];

pub(super) const LAST_NAMES: [&str; 16] = [
    "Alvarez", "Becker", "Costa", "Dubois", "Evans", "Fischer", "Garcia", "Hansen", "Ito", "Jensen",
    "Kowalski", "Lopez", "Martin", "Novak", "Okafor", "Petrov",
];

pub(super) const COMPANY_WORDS: [&str; 16] = [
    "Amber", "Bright", "Cedar", "Delta", "Eastern", "Falcon", "Granite", "Harbor", "Island", "Juniper",
    "Keystone", "Lumen", "Meridian", "North", "Orchid", "Pioneer",
];

pub(super) const COMPANY_KINDS: [&str; 8] =
    ["Systems", "Logistics", "Foods", "Consulting", "Networks", "Textiles", "Energy", "Studios"];

pub(super) const COMPANY_FORMS: [&str; 5] = ["Ltd", "Inc", "GmbH", "S.L.", "Group"];

pub(super) const PRODUCT_KINDS: [&str; 8] = [
    "Cloud Backup",
    "Mail Protection",
    "Office Suite",
    "CRM",
    "Web Shop",
    "Video Meetings",
    "VPN",
    "Storage",
];

pub(super) const STREETS: [&str; 8] = [
    "Main Street",
    "Station Road",
    "Park Avenue",
    "Mill Lane",
    "Harbour Street",
    "Church Road",
    "Lake View",
    "High Street",
];

/// A city with what goes with it.
pub(super) struct Place {
    pub(super) city: &'static str,
    pub(super) state: &'static str,
    pub(super) postal_code: &'static str,
    pub(super) country: &'static str,
    pub(super) country_code: &'static str,
}

pub(super) const PLACES: [Place; 8] = [
    Place { city: "Barcelona", state: "Cataluña", postal_code: "08018", country: "ES", country_code: "+34" },
    Place { city: "Irvine", state: "California", postal_code: "92602", country: "US", country_code: "+1" },
    Place { city: "Hamburg", state: "Hamburg", postal_code: "20095", country: "DE", country_code: "+49" },
    Place { city: "Lyon", state: "Rhône", postal_code: "69002", country: "FR", country_code: "+33" },
    Place { city: "Leeds", state: "Yorkshire", postal_code: "LS1 4AP", country: "GB", country_code: "+44" },
    Place { city: "Osaka", state: "Osaka", postal_code: "530-0001", country: "JP", country_code: "+81" },
    Place { city: "Toronto", state: "Ontario", postal_code: "M5H 2N2", country: "CA", country_code: "+1" },
    Place { city: "Porto", state: "Porto", postal_code: "4000-322", country: "PT", country_code: "+351" },
];
