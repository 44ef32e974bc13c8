package io.pare.compress.recipe;

import io.pare.compress.TensorGroups;
import io.pare.compress.Training;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Projector;
import io.pare.compress.stage.Forecast;
import io.pare.compress.stage.RecipeException;
import io.pare.compress.stage.Stage;
import io.pare.mem.FloatTensor;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A run of a recipe over names and shapes alone: what cannot end well is refused before anything trains. Each stage says
 * what it needs of the weights and what it does to them, see {@link Stage#check}.
 */
public final class RecipeCheck {
    private RecipeCheck() {}

    /**
     * A weight tensor before the first stage.
     *
     * @param name of the tensor
     * @param shape units first
     * @param nonzeros weights that are not zero
     * @param values distinct ones of them, counted to {@link Forecast#MOST_VALUES} + 1; 0 if not known
     */
    public record Tensor(String name, long[] shape, long nonzeros, long values) {
        /**
         * {@return a tensor that was not pruned, with values of all kinds}
         *
         * @param name of the tensor
         * @param shape units first
         */
        public static Tensor dense(String name, long[] shape) {
            return new Tensor(name, shape, Arrays.stream(shape).reduce(1, (a, b) -> a * b), Forecast.MOST_VALUES + 1);
        }

        /**
         * {@return a tensor whose values are not known: what depends on them is taken to be well}
         *
         * @param name of the tensor
         * @param shape units first
         */
        public static Tensor unknown(String name, long[] shape) {
            return new Tensor(name, shape, 1, 0);
        }
    }

    /**
     * Checks a recipe for weight tensors of those shapes.
     *
     * @param recipe that is checked
     * @param tensors all weight tensors, in the training's order
     * @param output see {@link Training#output}
     * @param linked whether {@link Training#links} has any
     * @return what the user should know and may have wanted, a line each
     * @throws RecipeException naming the stage that cannot run, or that breaks what an earlier one made, and the way
     *            on
     */
    public static List<String> notes(Recipe recipe, List<Tensor> tensors, @Nullable String output, boolean linked) {
        return notes(recipe, tensors, output, linked, null);
    }

    /**
     * Checks a recipe, which may take out whole units, for weight tensors of those shapes.
     *
     * @param recipe that is checked
     * @param tensors all weight tensors, in the training's order
     * @param output see {@link Training#output}
     * @param linked whether {@link Training#links} has any
     * @param groups see {@link Training#groups}
     * @return what the user should know and may have wanted, a line each
     * @throws RecipeException naming the stage that cannot run, or that breaks what an earlier one made, and the way
     *            on
     */
    public static List<String> notes(Recipe recipe, List<Tensor> tensors, @Nullable String output, boolean linked,
            @Nullable TensorGroups groups) {
        return forecast(recipe, tensors, output, linked, groups).end();
    }

    private static Forecast forecast(Recipe recipe, List<Tensor> tensors, @Nullable String output, boolean linked,
            @Nullable TensorGroups groups) {
        Forecast forecast = new Forecast(recipe.name(), tensors.stream()
                .map(each -> new Forecast.Weights(each.name(), each.shape(), each.nonzeros(), each.values())).toList(),
                output, linked, groups);
        recipe.stages().forEach(forecast::pass);
        return forecast;
    }

    /**
     * Checks a recipe for the tensors of a training.
     *
     * @param fresh whether their values are those that the recipe begins with
     * @param saved whether the run saves its state, so that all of it must be readable again
     */
    static List<String> notes(Recipe recipe, Training training, boolean fresh, boolean saved) {
        if (!training.hasTeacher()) {
            checkNoneDistils(recipe);
        }
        List<Tensor> tensors = new ArrayList<>();
        for (Variable variable : training.variables()) {
            FloatTensor value = variable.value();
            if (variable.compressible()) {
                tensors.add(fresh
                        ? new Tensor(variable.name(), value.shape(), Projector.nonzeros(value),
                                Projector.distinct(value, Forecast.MOST_VALUES).length)
                        : Tensor.unknown(variable.name(), value.shape()));
            }
        }
        Forecast forecast = forecast(recipe, tensors, training.output(), !training.links().isEmpty(),
                training.groups());
        if (saved) {
            forecast.constraints().forEach(recipe.catalog()::checkKnown);
        }
        return forecast.end();
    }

    private static void checkNoneDistils(Recipe recipe) {
        for (int i = 0; i < recipe.stages().size(); i++) {
            Stage stage = recipe.stages().get(i);
            if (stage.trainings().anyMatch(options -> options.distill() > 0)) {
                throw new RecipeException(recipe.name() + ": stage " + (i + 1) + " (" + stage.name()
                        + ") distils, and there is no teacher: give one, or set its 'distill' to 0");
            }
        }
    }
}
