//! Debian's Chromium, by its driver.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::json;
use thirtyfour::{ChromeCapabilities, components::SelectElement, prelude::*};
use tokio::time::{Instant, sleep};

/// How long a page may take to show something.
const PATIENCE: Duration = Duration::from_secs(20);

/// What is wrong with a page for who can't see it well, as texts.
const PROBLEMS: &str = r#"
    const problems = [];
    const visible = (e) => e.checkVisibility({ checkOpacity: true, checkVisibilityCSS: true }) && e.getClientRects().length;
    for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea, button")) {
        const name = field.labels?.length ? field.labels[0].textContent : field.getAttribute("aria-label") ?? field.textContent;
        if (visible(field) && !name.trim()) problems.push("no name: " + field.outerHTML);
    }
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push("twice: #" + id);
    for (const e of document.querySelectorAll("[aria-describedby]"))
        for (const id of e.getAttribute("aria-describedby").split(" "))
            if (!document.getElementById(id)) problems.push("describes nothing: " + id);
    const menu = document.querySelector(".top"), main = document.querySelector("main");
    if (menu.scrollWidth > menu.clientWidth) problems.push("the menu is wider than its place");
    const free = innerWidth - (menu.offsetWidth < innerWidth / 2 ? menu.offsetWidth : 0);
    if (main.offsetWidth < free - 20) problems.push("the content is narrower than its place: " + main.offsetWidth);
    if (document.querySelectorAll("h1").length !== 1) problems.push("not one h1");
    const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    const rgba = (color) => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
        return canvas.getImageData(0, 0, 1, 1).data;
    };
    const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, part, i) => {
        const v = c[i] / 255; return sum + part * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    }, 0);
    const ground = (e) => {
        for (let own = e; own; own = own.parentElement) {
            const c = rgba(getComputedStyle(own).backgroundColor);
            if (c[3] === 255) return c;
        }
        return rgba("white");
    };
    for (const e of document.querySelectorAll("body *")) {
        const own = [...e.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim());
        if (!own || !visible(e) || e.closest(".skip, .hidden")) continue;
        const [a, b] = [light(rgba(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
        const contrast = (a + 0.05) / (b + 0.05);
        if (contrast < 4.5) problems.push("contrast " + contrast.toFixed(2) + ": " + e.outerHTML.slice(0, 120));
    }
    return [...new Set(problems)];
"#;

pub(crate) struct Browser {
    driver: WebDriver,
    process: Process,
}

/// Ends the driver with the test, however that ends; the browser ends with its driver.
struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn folder() -> PathBuf {
    let target = env::var_os("CARGO_TARGET_DIR").map(PathBuf::from);
    let root = || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target"));
    target.unwrap_or_else(root).join("console")
}

impl Browser {
    /// `None` where there is no driver, outside of CI.
    pub(crate) async fn start() -> Option<Self> {
        let mut command = Command::new("chromedriver");
        let spawned = command.arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut process = match spawned {
            Ok(process) => Process(process),
            Err(error) => {
                assert!(
                    env::var_os("CI").is_none(),
                    "chromedriver (Debian: chromium-driver) can't be started: {error}"
                );
                eprintln!("left out: chromedriver can't be started: {error}");
                return None;
            }
        };
        let mut lines = BufReader::new(process.0.stdout.take().unwrap()).lines().map_while(Result::ok);
        let started =
            lines.find_map(|line| line.rsplit_once("successfully on port ").map(|(_, port)| port.to_owned()));
        let port = started.unwrap().trim_end_matches('.').to_owned();
        let mut options = ChromeCapabilities::new();
        // The sandbox of Chromium does not work as root, and containers have little shared memory.
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-gpu",
            "--window-size=1280,1000",
        ] {
            options.add_arg(argument).unwrap();
        }
        options.set_browser_log_level(thirtyfour::LoggingPrefsLogLevel::All).unwrap();
        fs::create_dir_all(folder()).unwrap();
        let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), options).await.unwrap();
        Some(Self { driver, process })
    }

    pub(crate) async fn quit(self) {
        let Self { driver, process } = self;
        driver.quit().await.unwrap();
        drop(process);
    }

    pub(crate) async fn goto(&self, url: &str) -> WebDriverResult<()> {
        self.driver.goto(url).await
    }

    pub(crate) async fn all(&self, css: &str) -> WebDriverResult<Vec<WebElement>> {
        self.driver.find_all(By::Css(css)).await
    }

    pub(crate) async fn text(&self, css: &str) -> WebDriverResult<String> {
        self.driver.find(By::Css(css)).await?.text().await
    }

    /// Waits until the text is seen in one of the elements.
    pub(crate) async fn waits_for(&self, css: &str, text: &str) -> WebDriverResult<()> {
        let script =
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.innerText).join('\\n')";
        let end = Instant::now() + PATIENCE;
        loop {
            let seen: String = self.driver.execute(script, vec![json!(css)]).await?.convert()?;
            if seen.contains(text) {
                return Ok(());
            }
            if Instant::now() > end {
                self.screenshot("failed").await?;
                panic!("{text:?} is not in {css}, which says: {seen}");
            }
            sleep(Duration::from_millis(50)).await;
        }
    }

    async fn element(&self, css: &str) -> WebDriverResult<WebElement> {
        let element = self.driver.find(By::Css(css)).await?;
        element.scroll_into_view().await?;
        Ok(element)
    }

    pub(crate) async fn clicks(&self, css: &str) -> WebDriverResult<()> {
        self.element(css).await?.click().await
    }

    /// Types a text in place of what is there.
    pub(crate) async fn types(&self, css: &str, text: &str) -> WebDriverResult<()> {
        let field = self.element(css).await?;
        field.clear().await?;
        field.send_keys(text).await
    }

    pub(crate) async fn selects(&self, css: &str, text: &str) -> WebDriverResult<()> {
        SelectElement::new(&self.element(css).await?).await?.select_by_exact_text(text).await
    }

    pub(crate) async fn press(&self, key: &str) -> WebDriverResult<()> {
        self.driver.action_chain().send_keys(key).perform().await
    }

    pub(crate) async fn screenshot(&self, name: &str) -> WebDriverResult<()> {
        self.driver.screenshot(&folder().join(format!("{name}.png"))).await
    }

    /// Opens what can be opened.
    pub(crate) async fn opens_all(&self) -> WebDriverResult<()> {
        let script = "for (const e of document.querySelectorAll('details')) { e.removeAttribute('name'); e.open = true; }";
        self.driver.execute(script, vec![]).await.map(drop)
    }

    pub(crate) async fn looks(&self, scheme: &str, width: u32) -> WebDriverResult<()> {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"}]});
        self.driver.cdp().send_raw("Emulation.setEmulatedMedia", features).await?;
        let metrics = json!({"width": width, "height": if width < 600 { 844 } else { 1000 }, "deviceScaleFactor": 1, "mobile": false});
        self.driver.cdp().send_raw("Emulation.setDeviceMetricsOverride", metrics).await.map(drop)
    }

    /// Checks the page in light and dark, on a desk and on a phone.
    pub(crate) async fn is_accessible(&self, name: &str) -> WebDriverResult<()> {
        for (scheme, width) in [("light", 1280), ("dark", 1280), ("dark", 390)] {
            self.looks(scheme, width).await?;
            let problems: Vec<String> = self.driver.execute(PROBLEMS, vec![]).await?.convert()?;
            self.screenshot(&format!("{name}-{scheme}-{width}")).await?;
            assert!(problems.is_empty(), "{name} in {scheme}: {problems:#?}");
            let script = "return document.documentElement.scrollWidth - window.innerWidth";
            let wider: i64 = self.driver.execute(script, vec![]).await?.convert()?;
            assert!(wider <= 0, "{name} is {wider} pixels wider than {width}");
        }
        let complaints: Vec<String> = self
            .driver
            .browser_log()
            .await?
            .into_iter()
            .map(|entry| entry.message)
            // Pages about what is refused or missing have that status.
            .filter(|message| !message.contains("responded with a status of 40"))
            .collect();
        assert!(complaints.is_empty(), "{name}: {complaints:#?}");
        Ok(())
    }
}
