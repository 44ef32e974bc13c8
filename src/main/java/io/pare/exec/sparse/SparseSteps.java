package io.pare.exec.sparse;

import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Step;
import io.pare.exec.StepFactory;
import io.pare.exec.Value;
import io.pare.kernel.SparseKernels;
import io.pare.net.Op;
import io.pare.net.Window;
import java.util.Optional;

/**
 * Steps of networks whose masks leave few weights: only these are multiplied, forward and backward.
 *
 * <p>Channels that no remaining weight reads are not computed, and the gradients of what feeds them are exactly zero.
 */
public final class SparseSteps implements StepFactory {
    /** Batches are a multiple of this: their rows are then whole vectors of every width. */
    public static final int SAMPLES = SparseKernels.SLACK;

    private final SparseLayouts layouts;

    public SparseSteps(Building building) {
        if (building.batch() % SAMPLES != 0) {
            throw new IllegalArgumentException(
                    "sparse training takes batches of a multiple of " + SAMPLES + ", not " + building.batch());
        }
        this.layouts = new SparseLayouts(building);
    }

    /** Whether all that a value is computed from, and its batch, have sparse steps. */
    public static boolean cover(Value output) {
        return output.order().stream().allMatch(node -> node.op() instanceof Operation.Input
                ? node.size(0) % SAMPLES == 0
                : node.inputs().isEmpty() || covers(node));
    }

    private static boolean covers(Value node) {
        return switch (node.op()) {
            case Operation.Apply(Op.Conv2d op) -> op.window().isPlain() && op.groups() == 1 && op.bias();
            case Operation.Apply(Op.MaxPool(Window w)) ->
                    w.equals(Window.square(w.kernelHeight(), w.kernelHeight(), 0));
            case Operation.Apply(Op.Linear _),Operation.Apply(Op.Relu _),Operation.Reshape _ -> true;
            default -> false;
        };
    }

    private static Value checked(Value node) {
        if (!covers(node)) {
            throw new IllegalArgumentException("no sparse rule for " + node);
        }
        return node;
    }

    @Override
    public Optional<Step> step(Value node) {
        return Optional.ofNullable(switch (node.op()) {
            case Operation.Apply(Op.Conv2d _) -> new SparseLayer(layouts, checked(node));
            case Operation.Apply(Op.Linear _) -> new SparseLayer(layouts, node);
            case Operation.Apply(Op.MaxPool op) -> new SparsePool(layouts, checked(node), op.window().kernelHeight());
            case Operation.Apply(Op.Relu _) -> new SparseRelu(layouts, node);
            case Operation.Reshape _ -> new SparseReshape(layouts, node);
            // The next factory covers what is not named here.
            default -> null;
        });
    }
}
