// Makes CodeMirror's styles obey a policy that forbids inline styles: constructed sheets instead of a style element.
import { StyleModule } from "style-mod";

/** Each module's sheet; a module is mounted once for all editors. */
const sheets = new Map();

function sheetOf(module) {
  let sheet = sheets.get(module);
  if (!sheet) {
    sheet = new CSSStyleSheet();
    sheet.replaceSync(module.getRules());
    sheets.set(module, sheet);
  }
  return sheet;
}

/** Later modules win over earlier ones, and the page's own constructed sheets come before all. */
StyleModule.mount = (root, modules) => {
  const mounted = [modules].flat().map(sheetOf);
  const others = root.adoptedStyleSheets.filter((it) => !mounted.includes(it));
  root.adoptedStyleSheets = [...others, ...mounted];
};
