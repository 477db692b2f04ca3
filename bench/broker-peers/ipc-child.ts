/** The bare platform: a child that answers over Bun's own IPC. */
process.on("message", (message) => {
  const [id, { a, b }] = message as [number, { a: number; b: number }];
  process.send?.([id, { result: a + b }]);
});
