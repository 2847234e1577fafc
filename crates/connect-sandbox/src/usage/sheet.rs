//! Reads what was uploaded: a workbook (XLSX) as Connect takes it, or a CSV file.

use std::io::Cursor;

use calamine::{DataRef, Reader, Xlsx};

/// How many rows a sheet may have.
const MOST_ROWS: usize = 100_000;
/// How much text a sheet may hold, in bytes: a small file can be packed from a lot of it.
const MOST_TEXT: usize = 64 << 20;
/// The sheet of the records: as Connect's documentation names it, and as its libraries do.
const RECORDS: [&str; 2] = ["records", "usage_records"];
const CATEGORIES: &str = "categories";
/// How every XLSX file begins.
const ZIP: &[u8] = b"PK\x03\x04";
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What was uploaded.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) records: Sheet,
    pub(crate) categories: Option<Sheet>,
}

/// A table with a header.
#[derive(Debug, Default)]
pub(crate) struct Sheet {
    columns: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
    text: usize,
}

/// A row of a sheet.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row<'a> {
    /// As a spreadsheet counts: the header is row 1.
    pub(crate) number: usize,
    columns: &'a [String],
    cells: &'a [String],
}

impl<'a> Row<'a> {
    /// What stands in a column; empty where the sheet has no such column.
    pub(crate) fn get(&self, column: &str) -> &'a str {
        self.cells().find(|(own, _)| *own == column).map_or("", |(_, cell)| cell)
    }

    /// The cells with the names of their columns.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        self.columns.iter().zip(self.cells).map(|(column, cell)| (column.as_str(), cell.trim()))
    }
}

impl Sheet {
    pub(crate) fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        self.rows.iter().map(|(number, cells)| Row { number: *number, columns: &self.columns, cells })
    }

    /// Puts a cell in. The first row names the columns, and what is below no name is left out.
    fn set(&mut self, row: usize, column: usize, text: String) -> Result<(), String> {
        if text.trim().is_empty() {
            return Ok(());
        }
        self.text += text.len();
        if self.text > MOST_TEXT {
            return Err(format!("A sheet holds more than {} MiB of text.", MOST_TEXT >> 20));
        }
        if row == 0 {
            // Sheets have 16,384 columns at most, yet a file can say anything.
            if column < 1 << 14 {
                self.columns.resize(self.columns.len().max(column + 1), String::new());
                text.trim().clone_into(&mut self.columns[column]);
            }
            return Ok(());
        }
        if column >= self.columns.len() {
            return Ok(());
        }
        if self.rows.last().is_none_or(|(last, _)| *last != row + 1) {
            if self.rows.len() == MOST_ROWS {
                return Err(format!("A sheet has more than {MOST_ROWS} rows."));
            }
            self.rows.push((row + 1, vec![String::new(); self.columns.len()]));
        }
        if let Some((_, cells)) = self.rows.last_mut() {
            cells[column] = text;
        }
        Ok(())
    }
}

/// Reads a file, or says why it can't be.
pub(crate) fn read(file: &[u8]) -> Result<Book, String> {
    if file.starts_with(ZIP) { workbook(file) } else { csv(file) }
}

fn workbook(file: &[u8]) -> Result<Book, String> {
    let failed = |error: calamine::XlsxError| format!("The file is not a workbook (XLSX): {error}.");
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(file)).map_err(failed)?;
    let names = book.sheet_names();
    let records = match names.as_slice() {
        [only] => only,
        names => names
            .iter()
            .find(|name| RECORDS.contains(&name.as_str()))
            .ok_or("The workbook has no sheet \"records\".")?,
    };
    let mut read = |name: &str| {
        let mut sheet = Sheet::default();
        let mut cells = book.worksheet_cells_reader(name).map_err(failed)?;
        while let Some(cell) = cells.next_cell().map_err(failed)? {
            let (row, column) = cell.get_position();
            sheet.set(row as usize, column as usize, text(cell.get_value()))?;
        }
        Ok::<_, String>(sheet)
    };
    let has_categories = names.len() > 1 && names.iter().any(|name| name == CATEGORIES);
    let categories = has_categories.then(|| read(CATEGORIES)).transpose()?;
    Ok(Book { records: read(records)?, categories })
}

fn text(cell: &DataRef<'_>) -> String {
    match cell {
        DataRef::Int(number) => number.to_string(),
        DataRef::Float(number) => number.to_string(),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => text.clone(),
        DataRef::SharedString(text) => (*text).to_owned(),
        DataRef::Bool(value) => value.to_string(),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = time.to_ymd_hms_milli();
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        DataRef::DateTime(time) => time.as_f64().to_string(),
        DataRef::Error(error) => error.to_string(),
        DataRef::Empty => String::new(),
    }
}

fn csv(file: &[u8]) -> Result<Book, String> {
    let file = file.strip_prefix(BYTE_ORDER_MARK).unwrap_or(file);
    let mut records = Sheet::default();
    let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(file);
    for (index, line) in reader.records().enumerate() {
        let line =
            line.map_err(|error| format!("The file is neither a workbook (XLSX) nor CSV: {error}."))?;
        // Blank lines are no records, yet an editor counts them.
        let number = line.position().and_then(|position| usize::try_from(position.line()).ok());
        let row = if index == 0 { 0 } else { number.map_or(index, |number| number.saturating_sub(1)) };
        for (column, cell) in line.iter().enumerate() {
            records.set(row, column, cell.to_owned())?;
        }
    }
    Ok(Book { records, categories: None })
}

#[cfg(test)]
mod tests {
    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};

    use super::*;

    fn shown(sheet: &Sheet) -> Vec<String> {
        sheet
            .rows()
            .map(|row| {
                let cells: Vec<String> = row.cells().map(|(name, cell)| format!("{name}={cell}")).collect();
                format!("{}: {}", row.number, cells.join(" "))
            })
            .collect()
    }

    #[test]
    fn csv_is_read_with_its_row_numbers() {
        let book = read("\u{feff}record_id, quantity\nr1,\"1,5\"\n\n,\nr2,2,surplus\nr3".as_bytes()).unwrap();
        // A blank line is none, and a row of nothing is left out.
        assert_eq!(
            shown(&book.records),
            ["2: record_id=r1 quantity=1,5", "5: record_id=r2 quantity=2", "6: record_id=r3 quantity="]
        );
        assert_eq!(book.records.rows().next().unwrap().get("nothing"), "");
        assert!(book.categories.is_none());
    }

    #[test]
    fn workbooks_are_read_by_the_names_of_their_sheets() {
        let mut book = Workbook::new();
        book.add_worksheet().set_name("instructions").unwrap().write(0, 0, "Read me").unwrap();
        let sheet = book.add_worksheet().set_name("usage_records").unwrap();
        for (column, name) in ["record_id", "quantity", "start_time_utc", "flag"].into_iter().enumerate() {
            sheet.write(0, u16::try_from(column).unwrap(), name).unwrap();
        }
        sheet.write(3, 0, "r1").unwrap().write(3, 1, 10).unwrap().write(3, 9, "below no name").unwrap();
        sheet.write(4, 1, 0.25).unwrap().write(4, 3, true).unwrap();
        let date = ExcelDateTime::from_ymd(2026, 2, 1).unwrap().and_hms(3, 4, 5).unwrap();
        let format = Format::new().set_num_format("yyyy-mm-dd hh:mm:ss");
        sheet.write_datetime_with_format(4, 2, &date, &format).unwrap();
        let sheet = book.add_worksheet().set_name("categories").unwrap();
        sheet.write(0, 0, "category_id").unwrap().write(1, 0, "compute").unwrap();
        let book = read(&book.save_to_buffer().unwrap()).unwrap();
        assert_eq!(
            shown(&book.records),
            [
                "4: record_id=r1 quantity=10 start_time_utc= flag=",
                "5: record_id= quantity=0.25 start_time_utc=2026-02-01 03:04:05 flag=true"
            ]
        );
        assert_eq!(shown(&book.categories.unwrap()), ["2: category_id=compute"]);
    }

    #[test]
    fn the_only_sheet_may_have_any_name() {
        let mut book = Workbook::new();
        book.add_worksheet().set_name("Sheet1").unwrap().write(0, 0, "a").unwrap().write(1, 0, "1").unwrap();
        assert_eq!(shown(&read(&book.save_to_buffer().unwrap()).unwrap().records), ["2: a=1"]);
        let mut book = Workbook::new();
        book.add_worksheet().set_name("one").unwrap();
        book.add_worksheet().set_name("two").unwrap();
        let error = read(&book.save_to_buffer().unwrap()).unwrap_err();
        assert_eq!(error, "The workbook has no sheet \"records\".");
    }

    #[test]
    fn what_is_no_table_is_told() {
        let zip = b"PK\x03\x04 and then nothing of it";
        assert!(read(zip).unwrap_err().starts_with("The file is not a workbook (XLSX): "));
        assert!(read(b"\xff\xfe\x00").unwrap_err().starts_with("The file is neither a workbook"));
        assert!(shown(&read(b"").unwrap().records).is_empty());
    }

    #[test]
    fn a_sheet_has_a_limit() {
        let mut sheet = Sheet::default();
        sheet.set(0, 0, "a".to_owned()).unwrap();
        for row in 1..=MOST_ROWS {
            sheet.set(row, 0, "1".to_owned()).unwrap();
        }
        assert_eq!(
            sheet.set(MOST_ROWS + 1, 0, "1".to_owned()).unwrap_err(),
            "A sheet has more than 100000 rows."
        );
        let mut sheet = Sheet::default();
        sheet.set(0, 0, "a".to_owned()).unwrap();
        let long = "x".repeat(MOST_TEXT / 2);
        sheet.set(1, 0, long.clone()).unwrap();
        assert_eq!(sheet.set(2, 0, long).unwrap_err(), "A sheet holds more than 64 MiB of text.");
        assert_eq!(Sheet::default().set(0, usize::MAX, "far out".to_owned()), Ok(()));
    }
}
