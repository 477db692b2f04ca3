import { expect, test } from "bun:test";
import { type Signs, wentTo } from "./focus.js";

const FRAME = "frame";
const LONG = 5001;

/** The user acts, and did so in the dashboard just now. */
const HERE: Signs = {
  dialog: false,
  over: "main",
  tabbing: false,
  holding: false,
  touching: false,
  typing: false,
  active: true,
  overMs: 2000,
  pressedMs: 1000,
  keyMs: LONG,
};
/** The same with a key instead of the pointer. */
const KEY = { pressedMs: LONG, keyMs: 1000 };

test.each<[went: boolean, what: string, signs: Partial<Signs>]>([
  [false, "the pointer was pressed in the dashboard", {}],
  [true, "the pointer was pressed there long ago", { pressedMs: LONG }],
  [false, "nobody acts", { active: false, pressedMs: LONG }],
  [true, "the pointer is over the frame", { over: FRAME }],
  [false, "the pointer has left", { over: null }],
  [true, "the pointer is over the frame, and then comes a key", { ...KEY, over: FRAME }],
  [
    true,
    "the pointer is over the frame, nobody acts, and then comes a key",
    { ...KEY, over: FRAME, active: false },
  ],
  [true, "a key comes, and where the pointer is was not told", KEY],
  [false, "a key comes, and nobody acts any more", { ...KEY, active: false }],
  [false, "something is typed into a field", { ...KEY, typing: true }],
  [
    false,
    "something is typed into a field under a pointer over the frame",
    { ...KEY, typing: true, over: FRAME },
  ],
  [true, "the pointer goes over the frame after typing", { ...KEY, typing: true, over: FRAME, overMs: 500 }],
  [false, "the pointer goes elsewhere after typing", { ...KEY, typing: true, overMs: 500 }],
  [true, "something was typed long ago", { typing: true, pressedMs: LONG }],
  [false, "a shortcut is on the way", { ...KEY, holding: true }],
  [false, "a shortcut is on the way under a pointer over the frame", { ...KEY, holding: true, over: FRAME }],
  [true, "Tab was pressed", { ...KEY, tabbing: true }],
  [true, "Tab was pressed in a field", { ...KEY, tabbing: true, typing: true }],
  [true, "a finger touches", { touching: true }],
  [false, "a finger touches a field", { touching: true, typing: true }],
  [false, "a dialog is open", { dialog: true, over: FRAME, tabbing: true, touching: true, pressedMs: LONG }],
])("it is %p that the user went into the frame when %s", (went, _, signs) => {
  expect(wentTo(FRAME, { ...HERE, ...signs })).toBe(went);
});
