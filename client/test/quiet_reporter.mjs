/** What a person wants to read of a test run: each failure with its reason, then one line. */

import { inspect } from "node:util";

/**
 * The names of a failed test and of the suites around it: node reports a suite only after what is
 * in it.
 */
const isCauseOfSuite = ({ code, failureType }) =>
  code === "ERR_TEST_FAILURE" && failureType === "subtestsFailed";

export default async function* quiet(source) {
  const start = Date.now();
  let passed = 0;
  let failed = 0;
  for await (const { type, data } of source) {
    const isSuite = data?.details?.type === "suite";
    if (type === "test:pass" && !isSuite) passed++;
    else if (type === "test:fail" && !isCauseOfSuite(data.details.error)) {
      failed++;
      const error = data.details.error.cause ?? data.details.error;
      yield `\n✖ ${data.name}\n${error instanceof Error ? error.stack : inspect(error)}\n`;
    } else if (type === "test:diagnostic" && data.message.startsWith("Error")) {
      yield `\n✖ ${data.message}\n`; // what went on after its test: the run fails because of it
    } else if (type === "test:stdout" || type === "test:stderr") yield data.message;
  }
  const seconds = ((Date.now() - start) / 1000).toFixed(1);
  yield `client unit tests: ${passed} passed${failed > 0 ? `, ${failed} failed` : ""} in ${seconds} s\n`;
}
