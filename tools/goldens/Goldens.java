// Evaluate expressions with JavaRosa (in pyxform's validator jar): a line each on standard input, a line each on standard output.
// In:  form file TAB path of the node in hand, with positions TAB expression      Out: type TAB value, or error TAB reason

import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.text.SimpleDateFormat;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import java.util.TimeZone;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.core.model.instance.TreeReference;
import org.javarosa.model.xform.XPathReference;
import org.javarosa.xform.util.XFormUtils;
import org.javarosa.xpath.XPathNodeset;
import org.javarosa.xpath.XPathParseTool;

public class Goldens {
  public static void main(String[] arguments) throws Exception {
    PrintStream out = new PrintStream(System.out, true, "UTF-8");
    System.setOut(System.err);
    Map<String, FormDef> forms = new HashMap<>();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] parts = line.split("\t", 3);
      try {
        FormDef form = forms.get(parts[0]);
        if (form == null) {
          form = XFormUtils.getFormFromInputStream(new FileInputStream(parts[0]));
          form.initialize(false, null);
          forms.put(parts[0], form);
        }
        TreeReference at = TreeReference.rootRef();
        String[] steps = parts[1].split("/");
        for (int step = 1; step < steps.length; step++) {
          String[] named = steps[step].split(":");
          at.add(named[0], named.length > 1 ? Integer.parseInt(named[1]) : 0);
        }
        EvaluationContext context = new EvaluationContext(form.getEvaluationContext(), at);
        Object value = XPathParseTool.parseXPath(parts[2]).eval(form.getMainInstance(), context);
        if (value instanceof XPathNodeset) value = ((XPathNodeset) value).unpack();
        out.println(typed(value));
      } catch (Throwable error) {
        String reason = String.valueOf(error.getMessage()).replaceAll("\\s+", " ");
        out.println("error\t" + error.getClass().getSimpleName() + ": " + reason.substring(0, Math.min(160, reason.length())));
      }
    }
  }

  private static String typed(Object value) {
    if (value instanceof Boolean) return "boolean\t" + value;
    if (value instanceof Number) return "number\t" + ((Number) value).doubleValue();
    if (value instanceof Date) {
      SimpleDateFormat format = new SimpleDateFormat("yyyy-MM-dd'T'HH:mm:ss.SSS");
      format.setTimeZone(TimeZone.getDefault());
      return "dateTime\t" + format.format((Date) value);
    }
    return "string\t" + value;
  }
}
