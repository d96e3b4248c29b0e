// Looks at reports in Chromium:  node look_at_pages.mjs PLAYWRIGHT_FOLDER CHROMIUM PAGES_FOLDER
//
// PLAYWRIGHT_FOLDER is where `npm install playwright-core` was run. Each NAME.html is held against NAME.json, which
// write_pages.cpp describes, and leaves pictures: NAME-light.png, NAME-dark.png, NAME-narrow.png. The last line is
// `N passed, N failed`.
import fs from "node:fs";
import path from "node:path";
import { createRequire } from "node:module";

const [playwrightFolder, chromium, folder] = process.argv.slice(2);
const playwright = createRequire(path.resolve(playwrightFolder) + "/")("playwright-core");

const WIDE = { width: 1180, height: 900 };
const NARROW = { width: 390, height: 844 };
const LARGEST_PAGE = 2e6; // bytes

const equal = (a, b) => JSON.stringify(a) === JSON.stringify(b);
// As a table shows it, with six digits.
const shows = (text, value) =>
  value === undefined ? text === "–" : value === null ? text === "not finite" : Math.abs(Number(text) - value) <= 1e-5 * Math.abs(value);
// As a title shows it, with three or four.
const about = (text, value) => Math.abs(Number(text) - value) <= 2e-3 * Math.abs(value);

function quantityOf(name) {
  for (const part of ["validation_", "test_", "train_"]) {
    if (name.startsWith(part)) return [name.slice(part.length), part.slice(0, -1)];
  }
  return [name, name === "learning_rate" ? name : "training"];
}

// The numbers in the page are those of the histories, to the last bit.
async function checkData(page, expected, fail) {
  const data = JSON.parse(await page.locator("#xgrad-run").textContent());
  if (data.schema !== "xgrad-run" || data.version !== 1) fail(`schema ${data.schema} ${data.version}`);
  const runs = data.runs.map((run) => run.epochs.map(({ epoch, ...scores }) => scores));
  const sorted = (run) => run.map((scores) => Object.fromEntries(Object.entries(scores).sort()));
  if (!equal(runs.map(sorted), expected.runs.map(sorted))) fail("the numbers are not those of the history");
}

// So are those of the tables under the curves of a single run.
async function checkTables(page, expected, fail) {
  if (expected.runs.length !== 1) return;
  const [epochs] = expected.runs;
  const tables = await page.locator("#curves figure").evaluateAll((figures) =>
    figures.map((figure) => ({
      title: figure.querySelector("figcaption").firstChild.textContent.trim(),
      rows: [...figure.querySelectorAll("tr")].map((row) => [...row.children].map((cell) => cell.textContent)),
    })),
  );
  const seen = new Set();
  for (const { title, rows } of tables) {
    const [heads, ...values] = rows;
    for (const name of Object.keys(epochs.at(-1) ?? {})) {
      const [quantity, part] = quantityOf(name);
      const column = heads.indexOf(part);
      if (quantity.replaceAll("_", " ") !== title || column < 0) continue;
      seen.add(name);
      for (const row of values) {
        const value = epochs[Number(row[0]) - 1][name];
        if (!shows(row[column], value)) fail(`${name} of epoch ${row[0]} is ${value}, the table says ${row[column]}`);
      }
    }
  }
  for (const name of Object.keys(epochs.at(-1) ?? {})) {
    const isShown = name !== "seconds" && epochs.some((scores) => scores[name] !== null);
    if (isShown && !seen.has(name)) fail(`there is no table of ${name}`);
  }
}

// Where the pointer is, values show up, and nowhere else.
async function checkHover(page, expected, fail) {
  const figure = page.locator("#curves figure").first();
  const places = figure.locator(".at");
  const count = await places.count();
  if (count === 0) return fail("nothing shows values under the pointer");
  await figure.scrollIntoViewIfNeeded();
  for (const i of new Set([0, Math.floor(count / 2), count - 1])) {
    const place = places.nth(i);
    const tip = place.locator(".tip");
    await page.mouse.move(1, 1);
    if (await tip.isVisible()) fail("values are shown without the pointer");
    const box = await place.locator(".hit").boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    if (!(await tip.isVisible())) fail("the pointer shows no values");
    const lines = (await tip.locator("text").evaluate((text) => [...text.childNodes].map((n) => n.textContent))) ?? [];
    const epoch = Number(lines[0].replace("epoch ", ""));
    const loss = lines.map((line) => /training (\S+)$/.exec(line)).find((match) => match);
    const value = expected.runs[0][epoch - 1]?.loss;
    if (typeof value === "number" && expected.runs.length === 1 && !(loss && about(loss[1], value))) {
      fail(`epoch ${epoch} shows ${lines.join("; ")}, and the loss is ${value}`);
    }
    const frame = await figure.boundingBox();
    const shown = await tip.locator("rect").boundingBox();
    if (shown.x < frame.x - 2 || shown.x + shown.width > frame.x + frame.width + 20) fail("values stand beside the chart");
  }
}

async function checkLooks(page, expected, fail) {
  const sections = await page.locator("section").evaluateAll((all) => all.map((section) => section.id));
  if (!equal(sections, expected.sections)) fail(`sections ${sections}, expected ${expected.sections}`);
  const text = await page.locator("body").innerText();
  for (const wanted of expected.texts) {
    if (!text.includes(wanted)) fail(`there is no text ${wanted}`);
  }
  // Not where formulas of kernels stand, which may have an infinity.
  const shown = await page
    .locator("section:not(#time) figure, .tile")
    .evaluateAll((all) => all.map((each) => each.textContent).join(" "));
  if (/\b(nan|undefined|inf)\b/i.test(shown)) fail("a number came out as no number");
  const bare = await page.locator("svg:not([role=img][aria-label])").count();
  if (bare > 0) fail(`${bare} drawings have no text beside them`);
  const broken = await page.locator("img").evaluateAll((all) => all.filter((img) => !img.complete || !img.naturalWidth));
  if (broken.length > 0) fail(`${broken.length} pictures cannot be shown`);
  const refreshes = (await page.locator("meta[http-equiv=refresh]").count()) > 0;
  if (refreshes !== expected.refreshes) fail(`refreshes: ${refreshes}`);
}

// What is wider than the window would have to be pushed to and fro.
async function checkWidth(page, fail) {
  const [content, window] = await page.evaluate(() => [
    document.documentElement.scrollWidth,
    document.documentElement.clientWidth,
  ]);
  if (content > window) fail(`the page is ${content} wide in a window of ${window}`);
}

const luminance = (page) =>
  page.evaluate(() => {
    const [r, g, b] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });

async function lookAt(browser, name, fail) {
  const file = path.resolve(folder, `${name}.html`);
  const expected = JSON.parse(fs.readFileSync(path.resolve(folder, `${name}.json`), "utf8"));
  if (fs.statSync(file).size > LARGEST_PAGE) fail(`${fs.statSync(file).size} bytes`);
  // A page that loads itself anew would do so between two looks at it.
  for (const [look, size, scheme] of [
    ["light", WIDE, "light"],
    ["dark", WIDE, "dark"],
    ["narrow", NARROW, "light"],
  ]) {
    const page = await browser.newPage({ viewport: size, colorScheme: scheme, javaScriptEnabled: true });
    page.on("console", (message) => fail(`${look}: the console says: ${message.text()}`));
    page.on("pageerror", (error) => fail(`${look}: ${error}`));
    page.on("dialog", (dialog) => (fail(`${look}: a dialog`), dialog.dismiss()));
    page.on("request", (request) => {
      if (request.url() !== `file://${file}` && !request.url().startsWith("data:")) fail(`it asks for ${request.url()}`);
    });
    await page.goto(`file://${file}`);
    await checkLooks(page, expected, fail);
    await checkWidth(page, fail);
    if ((await luminance(page)) > 128 !== (scheme === "light")) fail(`${look}: it is not ${scheme}`);
    if (look === "light") {
      await checkData(page, expected, fail);
      await checkTables(page, expected, fail);
    }
    await checkHover(page, expected, fail);
    await page.mouse.move(1, 1);
    await page.screenshot({ path: path.resolve(folder, `${name}-${look}.png`), fullPage: true });
    await page.close();
  }
}

const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
let passed = 0;
let failed = 0;
const names = fs.readdirSync(folder).filter((file) => file.endsWith(".html"));
for (const name of names.map((file) => path.basename(file, ".html"))) {
  const faults = new Set();
  try {
    await lookAt(browser, name, (fault) => faults.add(fault));
  } catch (error) {
    faults.add(String(error));
  }
  for (const fault of faults) console.log(`${name}: ${fault}`);
  faults.size === 0 ? passed++ : failed++;
}
await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
