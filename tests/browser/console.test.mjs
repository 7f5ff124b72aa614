// Commands in containers that read what is typed in the console.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccessible, openPage, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const output = (page) => get(page, "console-output").innerText();

/** Types a line and waits until the output ends as it should. */
async function type(page, line, ends) {
  await get(page, "console-input").fill(line);
  await page.keyboard.press("Enter");
  await page.waitForFunction((ends) => new RegExp(ends).test(document.querySelector("[data-testid='console-output']").innerText), ends, {
    timeout: 60_000,
  });
}

const prompt = (page, text) => page.locator(".console .prompt").getByText(text, { exact: true }).waitFor({ timeout: 60_000 });

test("a shell in a container reads the console's lines", async (t) => {
  const page = await openPage(t);
  await untilUsable(page);
  await page.locator("body").press("/");
  await type(page, "run box --rm -it --image=busybox --restart=Never -- sh", "try pressing enter");
  await prompt(page, "#");
  // Words of the manifest are no commands.
  assert.doesNotMatch(await output(page), /not found/);
  await type(page, "cd /etc", "# cd /etc\\n");
  await type(page, "ls", "# ls\\n[^#]*hosts\\n");
  await type(page, "NAME=world", "# NAME=world\\n");
  await type(page, "echo hello $NAME", "hello world\\n");
  await checkAccessible(page);
  await shot(page, "console-1-session");
  await type(page, "exit", 'pod "box" deleted');
  await prompt(page, "$ kubectl");
  await type(page, "run web --image=nginx", "pod/web created");
  await page.waitForSelector("[data-testid='pod'][data-name='web'][data-ready='true']", { timeout: 60_000 });
  await type(page, "exec -i web -- cat", "exec -i web -- cat\\n");
  await prompt(page, "input");
  for (const line of ["one", "two"]) await type(page, line, `${line}\\n$`);
  await page.keyboard.press("Control+d");
  await prompt(page, "$ kubectl");
  assert.match(await output(page), /one\ntwo\n\^D\none\ntwo\n$/);
  // What reads nothing asks for nothing, and a file is still the manifest.
  await type(page, "exec -it web -- hostname", "web\\n$");
  await prompt(page, "$ kubectl");
  await type(page, "apply -f -", "daemonset.apps/fluentd-elasticsearch created\\n$");
});

test("tabs and the console's line are left by keyboard", async (t) => {
  const page = await openPage(t);
  await untilUsable(page);
  const focused = () => page.evaluate(() => document.activeElement?.dataset.testid ?? "");
  await get(page, "tab-watch").focus();
  await page.keyboard.press("ArrowRight");
  assert.equal(await focused(), "tab-events");
  await get(page, "stream-events").waitFor();
  await page.keyboard.press("End");
  assert.equal(await focused(), "tab-console");
  assert.equal(await page.locator(".streams [role='tab'][tabindex='0']").count(), 1);
  await get(page, "console-input").focus();
  await page.keyboard.press("Escape");
  assert.equal(await focused(), "tab-console");
  // Tab completes as long as there is something to complete, and then goes on.
  await get(page, "console-input").fill("get nosuchthing");
  await page.keyboard.press("Tab");
  assert.equal(await focused(), "console-input");
  // Whether there is something takes the engine a moment to say.
  for (let n = 0; n < 40 && (await focused()) === "console-input"; n++) {
    await page.waitForTimeout(250);
    await page.keyboard.press("Tab");
  }
  assert.notEqual(await focused(), "console-input");
});

test("a step over a long rest says so", async (t) => {
  const page = await openPage(t, { at: "?nodes=1" });
  await untilUsable(page);
  await get(page, "clock-pause").click();
  for (let n = 0; n < 40 && (await get(page, "toast").count()) === 0; n++) await page.keyboard.press(".");
  await get(page, "toast").getByText(/went by until the next thing: \w+|Nothing is due/).first().waitFor();
});
