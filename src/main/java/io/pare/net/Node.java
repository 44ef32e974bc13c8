package io.pare.net;

import java.util.List;

/**
 * One operator of a {@link Net}, and where it stands.
 *
 * @param place its index in {@link Net#nodes()}
 * @param name unique in the network; the names of its tensors begin with it
 * @param op the operator, with its facts
 * @param inputs places of the nodes whose outputs it takes, all before its own
 * @param output shape of what it gives for one sample
 */
public record Node(int place, String name, Op op, List<Integer> inputs, Shape output) {
    /** Copies the list. */
    public Node {
        inputs = List.copyOf(inputs);
    }

    /** {@return the place of its only input, or of the first} */
    public int input() {
        return inputs.getFirst();
    }

    /** {@return its tensors: weight first, then bias, then statistics, as far as it has them} */
    public List<Parameter> parameters() {
        return op.parameters(name);
    }

    /** {@return its weight, the first tensor of an operator that {@linkplain Flow.Mix mixes} units} */
    public Parameter weight() {
        return parameters().getFirst();
    }

    /** {@return the elements of its tensors but statistics} */
    public long trainedCount() {
        return parameters().stream().filter(Parameter::trained).mapToLong(Parameter::count).sum();
    }
}
