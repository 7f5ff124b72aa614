//! Columns by tabs, as Go's `text/tabwriter` lays them out.

/// How columns are laid out.
pub(crate) struct Layout {
    pub(crate) width_min: usize,
    pub(crate) padding: usize,
}

/// Of tables.
pub(crate) const TABLE: Layout = Layout { width_min: 6, padding: 3 };
/// Of `describe`.
pub(crate) const DESCRIBE: Layout = Layout { width_min: 0, padding: 2 };

/// `text` with its tabs replaced by spaces.
/// A column is a block of lines one under another that have a cell there which ends with a tab.
pub(crate) fn align(text: &str, layout: &Layout) -> String {
    align_remembering(text, layout, &mut Vec::new())
}

/// As [`align`], but the columns of the whole text are at least as wide as `widths`, which is updated.
pub(crate) fn align_remembering(text: &str, layout: &Layout, widths: &mut Vec<usize>) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut out = Lines { out: String::with_capacity(text.len() * 2), lines: &lines, layout, remembered: widths };
    out.format(&mut Vec::new(), 0, lines.len());
    let n_lines = lines.len();
    let mut res = out.out;
    // The text after the last line break is no line.
    if n_lines > 0 {
        res.pop();
    }
    res
}

struct Lines<'a> {
    out: String,
    lines: &'a [Vec<&'a str>],
    layout: &'a Layout,
    remembered: &'a mut Vec<usize>,
}

impl Lines<'_> {
    fn format(&mut self, widths: &mut Vec<usize>, from: usize, to: usize) {
        let column = widths.len();
        let has_cell = |idx: usize| self.lines[idx].len() > column + 1;
        let mut start = from;
        let mut blocks = Vec::new();
        let mut idx = from;
        while idx < to {
            if !has_cell(idx) {
                idx += 1;
                continue;
            }
            let block_from = idx;
            while idx < to && has_cell(idx) {
                idx += 1;
            }
            blocks.push((block_from, idx));
        }
        for (block_from, block_to) in blocks {
            self.write(widths, start, block_from);
            let mut width = self.layout.width_min;
            for line in &self.lines[block_from..block_to] {
                let n_chars = line[column].chars().count();
                width = width.max(n_chars + self.layout.padding);
            }
            if let Some(&before) = self.remembered.get(column) {
                width = width.max(before);
            }
            if column < self.remembered.len() {
                self.remembered[column] = width;
            } else if column == self.remembered.len() && self.layout.width_min > 0 {
                self.remembered.push(width);
            }
            widths.push(width);
            self.format(widths, block_from, block_to);
            widths.pop();
            start = block_to;
        }
        self.write(widths, start, to);
    }

    fn write(&mut self, widths: &[usize], from: usize, to: usize) {
        for line in &self.lines[from..to] {
            for (idx, cell) in line.iter().enumerate() {
                self.out.push_str(cell);
                if idx + 1 < line.len() {
                    let width = widths.get(idx).copied().unwrap_or(0);
                    let n_chars = cell.chars().count();
                    self.out.extend(std::iter::repeat_n(' ', width.saturating_sub(n_chars)));
                }
            }
            self.out.push('\n');
        }
    }
}
