// Fill an XForm in as ODK Collect does, with JavaRosa (in pyxform's validator jar), and print the instance.
// Arguments: the form file, then path=answer for each question to answer.

import java.io.FileInputStream;
import java.util.HashMap;
import java.util.Map;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.SelectChoice;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.data.IntegerData;
import org.javarosa.core.model.data.SelectOneData;
import org.javarosa.core.model.data.StringData;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.form.api.FormEntryController;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.form.api.FormEntryPrompt;
import org.javarosa.model.xform.XFormSerializingVisitor;
import org.javarosa.xform.util.XFormUtils;

public class Fill {
  public static void main(String[] arguments) throws Exception {
    Map<String, String> answers = new HashMap<>();
    for (int at = 1; at < arguments.length; at++) {
      String[] parts = arguments[at].split("=", 2);
      answers.put(parts[0], parts[1]);
    }
    FormDef form = XFormUtils.getFormFromInputStream(new FileInputStream(arguments[0]));
    FormEntryModel model = new FormEntryModel(form);
    FormEntryController controller = new FormEntryController(model);
    form.initialize(true, new InstanceInitializationFactory());
    controller.jumpToIndex(org.javarosa.core.model.FormIndex.createBeginningOfFormIndex());
    while (controller.stepToNextEvent() != FormEntryController.EVENT_END_OF_FORM) {
      if (model.getEvent() != FormEntryController.EVENT_QUESTION) continue;
      FormEntryPrompt prompt = model.getQuestionPrompt();
      String path = prompt.getFormElement().getBind().getReference().toString();
      String wanted = answers.get(path);
      if (wanted == null) continue;
      int result = controller.answerQuestion(data(prompt, wanted), true);
      if (result != FormEntryController.ANSWER_OK) throw new IllegalStateException(path + " refused: " + result);
    }
    form.postProcessInstance();
    System.out.write(new XFormSerializingVisitor().serializeInstance(form.getMainInstance()));
    System.out.flush();
  }

  private static IAnswerData data(FormEntryPrompt prompt, String wanted) {
    if (prompt.getControlType() == Constants.CONTROL_SELECT_ONE) {
      for (SelectChoice choice : prompt.getSelectChoices())
        if (choice.getValue().equals(wanted)) return new SelectOneData(choice.selection());
      throw new IllegalArgumentException(wanted);
    }
    return prompt.getDataType() == Constants.DATATYPE_INTEGER
        ? new IntegerData(Integer.parseInt(wanted))
        : new StringData(wanted);
  }
}
