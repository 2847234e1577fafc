use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};

use super::names::{
    COMPANY_FORMS, COMPANY_KINDS, COMPANY_WORDS, FIRST_NAMES, LAST_NAMES, PLACES, PRODUCT_KINDS, Place,
    STREETS,
};
use crate::{
    Address, Contact, ContactInfo, EventLog, Extra, LogEntry, PhoneNumber, Reference, TierAccount,
    TierAccountType, User,
};

/// Makes objects that look real. The same seed makes the same objects, in the same order.
///
/// ```
/// use connect_model::{TierAccountType, build::Generator};
///
/// let mut make = Generator::seeded(1);
/// let reseller = make.tier_account(TierAccountType::Reseller);
/// assert!(reseller.id.starts_with("TA-"));
/// assert_ne!(reseller, make.tier_account(TierAccountType::Reseller));
/// ```
#[derive(Clone, Debug)]
pub struct Generator {
    seed: u64,
    rng: Rng,
    now: Timestamp,
}

impl Default for Generator {
    /// With a seed of chance.
    fn default() -> Self {
        Self::new()
    }
}

impl Generator {
    /// With a seed of chance, which [`seed`](Self::seed) tells.
    #[must_use]
    pub fn new() -> Self {
        Self::seeded(fastrand::u64(..))
    }

    /// With this seed.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        // The first moment of 2026, UTC: what is made does not depend on the clock.
        let now =
            Timestamp::UNIX_EPOCH.saturating_add(SignedDuration::from_hours(490_896)).unwrap_or_default();
        Self { seed, rng: Rng::with_seed(seed), now }
    }

    /// The seed, to make the same objects again.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// So many random digits.
    pub fn digits(&mut self, count: usize) -> String {
        std::iter::repeat_with(|| self.rng.digit(10)).take(count).collect()
    }

    /// An id of this prefix, and of groups of so many digits: `("AS", &[4, 4, 4])` makes `AS-1234-5678-9012`.
    pub fn id(&mut self, prefix: &str, groups: &[usize]) -> String {
        groups.iter().fold(prefix.to_owned(), |id, count| id + "-" + &self.digits(*count))
    }

    /// A random UUID.
    pub fn uuid(&mut self) -> String {
        let bytes = self.rng.u128(..);
        // Version 4, variant 1.
        let bytes = bytes & !(0xf << 76) & !(0x3 << 62) | (0x4 << 76) | (0x2 << 62);
        let hex = format!("{bytes:032x}");
        let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default();
        [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
    }

    /// One of several.
    pub(super) fn one_of<'a, T>(&mut self, list: &'a [T; 8]) -> &'a T {
        &list[self.rng.usize(..8)]
    }

    fn word<const N: usize>(&mut self, list: &[&'static str; N]) -> &'static str {
        list[self.rng.usize(..N)]
    }

    /// A number up to this one, itself included, and from one on.
    pub(super) fn up_to(&mut self, most: u64) -> u64 {
        self.rng.u64(1..=most.max(1))
    }

    /// A moment some minutes after the one before, as Connect writes it.
    pub fn moment(&mut self) -> String {
        let later = SignedDuration::from_secs(self.rng.i64(60..3_600));
        self.now = self.now.saturating_add(later).unwrap_or(self.now);
        // Connect writes `+00:00`, not `Z`.
        self.now.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string()
    }

    /// A company's name.
    pub fn company(&mut self) -> String {
        let (word, kind, form) =
            (self.word(&COMPANY_WORDS), self.word(&COMPANY_KINDS), self.word(&COMPANY_FORMS));
        format!("{word} {kind} {form}")
    }

    /// A product's name.
    pub fn product_name(&mut self) -> String {
        let (word, kind) = (self.word(&COMPANY_WORDS), self.word(&PRODUCT_KINDS));
        format!("{word} {kind}")
    }

    /// A domain below `example.com`.
    pub fn domain(&mut self) -> String {
        let (word, number) = (self.word(&COMPANY_WORDS).to_lowercase(), self.digits(3));
        format!("{word}{number}.example.com")
    }

    /// A short form of an account, by its prefix (`VA`, `PA`).
    pub(super) fn account(&mut self, prefix: &str) -> Reference {
        Reference::new(self.id(prefix, &[3, 3]), self.company())
    }

    /// A person that works with Connect.
    pub fn user(&mut self) -> User {
        let person = self.contact();
        let name = format!(
            "{} {}",
            person.first_name.as_deref().unwrap_or_default(),
            person.last_name.as_deref().unwrap_or_default()
        );
        User { id: self.id("UR", &[3, 3, 3]), name: Some(name), email: person.email, ..User::default() }
    }

    /// A person to ask.
    pub fn contact(&mut self) -> Contact {
        let code = self.one_of(&PLACES).country_code;
        self.contact_of(code)
    }

    fn contact_of(&mut self, country_code: &str) -> Contact {
        let (first, last) = (self.word(&FIRST_NAMES), self.word(&LAST_NAMES));
        Contact {
            first_name: Some(first.to_owned()),
            last_name: Some(last.to_owned()),
            email: Some(format!("{}.{}@example.com", first.to_lowercase(), last.to_lowercase())),
            phone_number: Some(self.phone_of(country_code)),
            extra: Extra::default(),
        }
    }

    /// A telephone number, of those that are reserved for fiction.
    pub fn phone_number(&mut self) -> PhoneNumber {
        let code = self.one_of(&PLACES).country_code;
        self.phone_of(code)
    }

    fn phone_of(&mut self, country_code: &str) -> PhoneNumber {
        PhoneNumber {
            country_code: Some(country_code.to_owned()),
            area_code: Some("555".to_owned()),
            phone_number: Some(format!("01{}", self.digits(2))),
            extension: Some(String::new()),
            extra: Extra::default(),
        }
    }

    fn street(&mut self) -> String {
        format!("{} {}", self.up_to(250), self.word(&STREETS))
    }

    /// An address.
    pub fn address(&mut self) -> Address {
        let Place { city, state, postal_code, country, .. } = self.one_of(&PLACES);
        Address {
            address_line1: Some(self.street()),
            address_line2: Some(String::new()),
            city: Some((*city).to_owned()),
            state: Some((*state).to_owned()),
            postal_code: Some((*postal_code).to_owned()),
            country: Some((*country).to_owned()),
            extra: Extra::default(),
        }
    }

    /// Where a company is and whom to ask.
    pub fn contact_info(&mut self) -> ContactInfo {
        let Place { city, state, postal_code, country, country_code } = self.one_of(&PLACES);
        ContactInfo {
            address_line1: Some(self.street()),
            address_line2: Some(String::new()),
            city: Some((*city).to_owned()),
            state: Some((*state).to_owned()),
            postal_code: Some((*postal_code).to_owned()),
            country: Some((*country).to_owned()),
            contact: Some(Box::new(self.contact_of(country_code))),
            extra: Extra::default(),
        }
    }

    /// An account of a customer or reseller.
    pub fn tier_account(&mut self, of: TierAccountType) -> TierAccount {
        TierAccount {
            id: self.id("TA", &[4, 4, 4]),
            version: Some(1),
            name: Some(self.company()),
            r#type: of,
            external_id: Some(self.digits(7)),
            external_uid: Some(self.uuid()),
            contact_info: Some(Box::new(self.contact_info())),
            ..TierAccount::default()
        }
    }

    /// A customer.
    pub fn customer(&mut self) -> TierAccount {
        self.tier_account(TierAccountType::Customer)
    }

    /// A reseller.
    pub fn reseller(&mut self) -> TierAccount {
        self.tier_account(TierAccountType::Reseller)
    }

    /// The log of an object that was made and changed once.
    pub(super) fn events(&mut self) -> EventLog {
        let mut log = EventLog::default();
        for event in ["created", "updated"] {
            log.set(event, LogEntry { at: Some(self.moment()), ..LogEntry::default() });
        }
        log
    }
}
