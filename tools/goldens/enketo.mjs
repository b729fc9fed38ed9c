// Evaluate an expression with npm's openrosa-xpath-evaluator in a browser page: golden(instance, path of the node, expression).

import orxe from "openrosa-xpath-evaluator";

window.golden = (xml, at, expression) => {
  const document = new DOMParser().parseFromString(xml, "text/xml");
  const evaluator = orxe();
  const evaluate = (...given) => evaluator.evaluate(...given);
  try {
    let node = document;
    for (const step of at.split("/").slice(1)) {
      const [name, index] = step.split(":");
      node = [...node.children].filter((child) => child.nodeName === name)[Number(index ?? 0)];
    }
    const result = evaluate(expression, node, null, XPathResult.ANY_TYPE, null);
    if (result.resultType === XPathResult.NUMBER_TYPE) return ["number", String(result.numberValue)];
    if (result.resultType === XPathResult.BOOLEAN_TYPE) return ["boolean", String(result.booleanValue)];
    if (result.resultType === XPathResult.STRING_TYPE) return ["string", result.stringValue];
    const first = evaluate(expression, node, null, XPathResult.STRING_TYPE, null);
    return ["string", first.stringValue];
  } catch (error) {
    return ["error", String(error.message ?? error).slice(0, 160)];
  }
};
