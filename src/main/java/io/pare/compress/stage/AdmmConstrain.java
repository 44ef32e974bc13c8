package io.pare.compress.stage;

import io.pare.compress.AdmmOptions;
import io.pare.compress.TensorPattern;
import io.pare.compress.TrainingOptions;
import io.pare.compress.Variable;
import io.pare.compress.constraint.Constraint;
import io.pare.compress.constraint.WeightChange;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * ADMM onto any constraints, then the projection: the stage for constraints that have no stage of their own,
 * such as a caller's.
 *
 * @param constraints by tensor or pattern; tensors that none matches are left alone. One that is joint sees all
 *            tensors of its pattern together
 * @param masked whether weights that are zero when the stage begins stay so while it trains
 * @param admm how ADMM runs
 * @param train how W steps train
 */
public record AdmmConstrain(Map<String, Constraint> constraints, boolean masked, AdmmOptions admm,
        TrainingOptions train) implements AdmmStage {
    public static final AdmmConstrain DEFAULTS = new AdmmConstrain(Map.of(), true, AdmmOptions.DEFAULTS,
            TrainingOptions.DEFAULTS);

    /**
     * Copies the map.
     *
     * @throws IllegalArgumentException if a pattern or its constraint is {@code null}
     */
    public AdmmConstrain {
        constraints = TensorPattern.inOrder("constraints", constraints);
    }

    @Override
    public String name() {
        return "admm";
    }

    @Override
    public Map<String, List<String>> patterns() {
        Map<String, List<String>> patterns = new LinkedHashMap<>();
        patterns.put("constraints", List.copyOf(constraints.keySet()));
        patterns.put("rhoOf", List.copyOf(admm.rhoOf().keySet()));
        return patterns;
    }

    @Override
    public Effect check(Forecast forecast) {
        if (constraints.isEmpty()) {
            throw forecast.refused("needs 'constraints', such as {\"fc*\": {kind: Sparsity, share: 0.1}}");
        }
        boolean trains = train.epochs() > 0;
        Effect effect = forecast.training(trains).and(WeightChange.FILLS_ZEROS, trains && !masked);
        List<Claim> left = new ArrayList<>();
        for (Map.Entry<String, Constraint> entry : constraints.entrySet()) {
            Constraint constraint = entry.getValue();
            List<Forecast.Weights> held = forecast.weights().stream()
                    .filter(each -> entry.getKey().equals(chosen(each.name()))).toList();
            held.forEach(each -> foretell(each, constraint));
            for (WeightChange change : constraint.changes()) {
                effect = effect.and(change, name -> held.stream().anyMatch(each -> each.name().equals(name)));
            }
            if (constraint.joint() && !held.isEmpty()) {
                left.add(forecast.claim(constraint, held));
            } else {
                held.forEach(each -> left.add(forecast.claim(constraint, List.of(each))));
            }
        }
        return effect.claiming(left);
    }

    private String chosen(String tensor) {
        return TensorPattern.chosen(constraints.keySet(), tensor);
    }

    /** What is known of a tensor that was projected. */
    private static void foretell(Forecast.Weights tensor, Constraint constraint) {
        if (constraint.changes().contains(WeightChange.MAKES_ZEROS)) {
            tensor.nonzeros(1);
        }
        if (constraint.values() < Long.MAX_VALUE || constraint.changes().contains(WeightChange.SPLITS_VALUES)) {
            tensor.values(constraint.values());
        }
    }

    @Override
    public String remedy(Claim claim) {
        return Claim.REORDER;
    }

    @Override
    public StageRun open(RunContext context) {
        List<AdmmRun.Target> targets = new ArrayList<>();
        constraints.forEach((pattern, constraint) -> {
            List<Variable> held = context.weights().stream()
                    .filter(variable -> pattern.equals(chosen(variable.name()))).toList();
            if (constraint.joint() && !held.isEmpty()) {
                targets.add(AdmmRun.Target.of(held, constraint));
            } else {
                held.forEach(variable -> targets.add(AdmmRun.Target.of(List.of(variable), constraint)));
            }
        });
        return StageRun.open(region -> new AdmmRun(context, region, train, admm, masked, true, () -> targets));
    }
}
