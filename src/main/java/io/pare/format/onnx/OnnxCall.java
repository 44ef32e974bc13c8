package io.pare.format.onnx;

import io.pare.file.FormatException;
import io.pare.format.onnx.OnnxConstant.Type;
import io.pare.net.CompressedTensor;
import io.pare.net.Op;
import io.pare.net.Parameter;
import io.pare.net.Shape;
import io.pare.net.TensorOp;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * An operator of the graph and the values that it takes: what those who know operators are given, and by which they make
 * nodes of the network.
 *
 * <p>Where all inputs are constants the same calls give constants. What does not fit is refused by
 * {@link FormatException} or {@link IllegalArgumentException}, whose message goes on behind the operator's name.
 */
final class OnnxCall {
    private final OnnxNode node;
    private final OnnxAttempt attempt;
    /** Whether constants are computed as if there were twice as many samples. */
    private final boolean doubled;
    /** Whether some input is computed. */
    private final boolean computes;

    OnnxCall(OnnxNode node, OnnxAttempt attempt, boolean doubled) {
        this.node = node;
        this.attempt = attempt;
        this.doubled = doubled;
        this.computes = node.inputs().stream()
                .anyMatch(name -> !name.isEmpty() && !attempt.value(node, name).isConstant());
    }

    OnnxNode node() {
        return node;
    }

    /** Version of ONNX's operators. */
    long opset() {
        return attempt.opset();
    }

    /** Whether some input is computed, or all are constants. */
    boolean computes() {
        return computes;
    }

    OnnxTensors.Budget memory() {
        return attempt.memory();
    }

    OnnxTensors tensors() {
        return attempt.tensors();
    }

    FormatException refuse(String why) {
        return node.refuse(why);
    }

    /** Tells the user something about the network. */
    void note(String line) {
        attempt.note(line);
    }

    // What it takes.

    /** Number of inputs, also of those that are not given. */
    int count() {
        return node.inputs().size();
    }

    OnnxValue value(int index) {
        OnnxValue value = optional(index);
        if (value == null) {
            throw refuse("has no input " + index);
        }
        return value;
    }

    /** Null if that input is not given. */
    OnnxValue optional(int index) {
        String name = node.input(index);
        if (name == null) {
            return null;
        }
        OnnxValue value = attempt.value(node, name);
        if (!value.isConstant()) {
            return value;
        }
        return computes ? shared(value, name) : OnnxValue.of(doubled ? value.doubled() : value.constant());
    }

    List<OnnxValue> values() {
        return IntStream.range(0, count()).mapToObj(this::value).toList();
    }

    OnnxConstant constant(int index) {
        OnnxConstant constant = optionalConstant(index);
        if (constant == null) {
            throw refuse("has no input " + index);
        }
        return constant;
    }

    /** Null if that input is not given. */
    OnnxConstant optionalConstant(int index) {
        OnnxValue value = optional(index);
        if (value == null) {
            return null;
        }
        if (!value.isConstant() || value.batch() >= 0) {
            throw refuse("takes the computed value '" + node.input(index) + "' as input " + index
                    + ", where Pare needs a constant");
        }
        return value.constant();
    }

    /** Integers that newer versions take as an input and older ones as an attribute; null if they are not given. */
    long[] integers(int index, String attribute) {
        OnnxConstant constant = optionalConstant(index);
        if (constant == null) {
            return node.has(attribute) ? node.integers(attribute) : null;
        }
        return integers(constant, attribute);
    }

    private long[] integers(OnnxConstant constant, String what) {
        long[] values = constant.integers();
        if (values == null) {
            throw refuse("has " + what + " of type " + constant.type() + ", integers are needed");
        }
        return values;
    }

    /** A size that may depend on the number of samples. */
    record Sizes(long[] once, long[] doubled) {}

    /** As {@link #integers}, as they are for the samples at hand and for twice as many. */
    Sizes sizes(int index, String attribute) {
        String name = node.input(index);
        OnnxValue value = name == null ? null : attempt.value(node, name);
        if (value == null || !value.isConstant()) {
            long[] fixed = integers(index, attribute);
            return fixed == null ? null : new Sizes(fixed, fixed);
        }
        long[] once = integers(value.constant(), attribute);
        long[] twice = integers(value.doubled(), attribute);
        return computes ? new Sizes(once, twice) : doubled ? new Sizes(twice, twice) : new Sizes(once, once);
    }

    /** A number that newer versions take as an input and older ones as an attribute. */
    float decimal(int index, String attribute, float otherwise) {
        OnnxConstant constant = optionalConstant(index);
        if (constant == null) {
            return node.decimal(attribute, otherwise);
        }
        if (constant.count() != 1) {
            throw refuse("has " + constant.count() + " values for " + attribute + ", one is needed");
        }
        return constant.decimal(0);
    }

    // The samples.

    /** The number of samples with which the graph is read. */
    int samples() {
        return attempt.samples();
    }

    /** Whether the network is to compute the same for any number of samples. */
    boolean isFree() {
        return attempt.isFree();
    }

    /** A constant beside computed values: the same for every sample, if it depends on how many there are. */
    private OnnxValue shared(OnnxValue value, String name) {
        OnnxConstant one = value.constant();
        OnnxConstant two = value.doubled();
        if (one == two || value.batch() >= 0 || OnnxFolding.same(one, two)) {
            return value;
        }
        int axis = IntStream.range(0, Math.min(one.shape().length, two.shape().length))
                .filter(i -> one.shape()[i] != two.shape()[i]).findFirst().orElse(-1);
        boolean counts = axis >= 0 && one.shape()[axis] == samples() && two.shape()[axis] == 2L * samples();
        OnnxConstant slice = counts ? alike(two, axis) : null;
        if (slice != null) {
            return new OnnxValue(slice, slice, -1, one.type(), value.sizes(), axis);
        }
        if (isFree()) {
            throw refuse("takes '" + name + "', which depends on the number of samples");
        }
        return OnnxValue.of(one);
    }

    /** What stands at each index of an axis, without it; null if that is not always the same. */
    private OnnxConstant alike(OnnxConstant constant, int axis) {
        if (constant.count() == 0) {
            return null;
        }
        OnnxConstant first = constant.shape()[axis] == 1 ? constant : null;
        for (int i = 0; i < constant.shape()[axis] && first != constant; i++) {
            OnnxConstant slice = attempt.folding().apply(new TensorOp.Take(axis, List.of(i)), constant.type(),
                    List.of(constant));
            if (first != null && !OnnxFolding.same(first, slice)) {
                return null;
            }
            first = slice;
        }
        return first.reshaped(IntStream.range(0, constant.shape().length).filter(i -> i != axis)
                .mapToLong(i -> constant.shape()[i]).toArray());
    }

    /** An axis of ONNX, which may count from the end, as one from the front. */
    int axis(OnnxValue x, long axis) {
        return axis(axis, x.rank());
    }

    int axis(long axis, int rank) {
        if (axis < -rank || axis >= rank) {
            throw refuse("works along axis " + axis + " of a value of " + rank + " dimensions");
        }
        return (int) (axis < 0 ? axis + rank : axis);
    }

    /** An axis of ONNX as one of a sample; refuses the one that counts samples. */
    int sampleAxis(OnnxValue x, long axis) {
        int found = axis(x, axis);
        if (found == x.batch()) {
            throw acrossSamples();
        }
        return x.inSample(found);
    }

    FormatException acrossSamples() {
        return acrossSamples("");
    }

    /** @param because of what it does so, as the words before */
    FormatException acrossSamples(String because) {
        attempt.crosses();
        return refuse(because + "works across samples, along the axis that counts them; Pare computes each by itself");
    }

    /** Values of which each is computed or constant, as they stand over one another when their last axes meet. */
    record Meeting(List<OnnxValue> values, int batch) {}

    /** Makes values meet: their last axes stand over one another, those of the batch too. */
    Meeting meet(List<OnnxValue> values) {
        int rank = values.stream().mapToInt(OnnxValue::rank).max().orElse(0);
        int behind = values.stream().filter(x -> x.batch() >= 0).mapToInt(x -> x.rank() - x.batch()).max().orElse(0);
        List<OnnxValue> met = new ArrayList<>();
        for (OnnxValue x : values) {
            if (x.batch() >= 0 && x.rank() - x.batch() != behind) {
                throw refuse("takes values of shapes " + x.sizes() + " and others whose axes of samples do not meet");
            }
            met.add(behind == 0 || x.batch() >= 0 || x.rank() < behind ? x : perSample(x, x.rank() - behind));
        }
        return new Meeting(met, behind == 0 ? -1 : rank - behind);
    }

    /** A constant whose given axis stands over the batch's: what each sample is given of it. */
    OnnxValue perSample(OnnxValue x, int axis) {
        boolean fits = x.isConstant() && (x.size(axis) == 1 || x.size(axis) == samples());
        OnnxConstant slice = fits ? alike(x.constant(), axis) : null;
        if (slice == null) {
            throw refuse("takes values of shape " + x.sizes() + " that differ from sample to sample");
        }
        List<Integer> sizes = new ArrayList<>(x.sizes());
        sizes.set(axis, samples());
        return new OnnxValue(slice, slice, -1, x.type(), sizes, axis);
    }

    // What it gives.

    /** Elements of a constant, see {@link OnnxFolding#gathered}. */
    OnnxConstant gathered(OnnxConstant x, int axis, OnnxConstant indices, long... shape) {
        return attempt.folding().gathered(x, axis, indices, shape);
    }

    /** The value that an operator without parameters gives. */
    OnnxValue apply(String kind, Op op, Type type, int batch, List<OnnxValue> inputs) {
        if (inputs.stream().allMatch(OnnxValue::isConstant)) {
            if (!(op instanceof TensorOp tensor) || !op.parameters("").isEmpty()) {
                throw refuse("computes from constants alone, which Pare does not do by " + node.operator());
            }
            OnnxConstant made =
                    attempt.folding().apply(tensor, type, inputs.stream().map(OnnxValue::constant).toList());
            return new OnnxValue(made, made, -1, type, withBatch(OnnxValue.sizes(made.shape()), batch), batch);
        }
        return layer(kind, op, type, batch, inputs, List.of());
    }

    OnnxValue apply(String kind, Op op, OnnxValue x) {
        return apply(kind, op, x.type(), x.batch(), List.of(x));
    }

    /** The value that a node with parameters gives, all of which are given as tensors. */
    OnnxValue layer(String kind, Op op, Type type, int batch, List<OnnxValue> inputs, List<CompressedTensor> tensors) {
        int place = attempt.draft().add(kind, op, inputs.stream().map(this::place).toList(), tensors);
        return OnnxValue.computed(place, type, withBatch(attempt.draft().step(place).output().sizes(), batch), batch);
    }

    /** A node with one input and parameters of those values, in the operator's order. */
    OnnxValue layer(String kind, Op op, OnnxValue x, float[]... values) {
        if (x.isConstant()) {
            throw refuse("computes from constants alone, which Pare does not do by " + node.operator());
        }
        List<Parameter> parameters = op.parameters("");
        List<CompressedTensor> tensors = IntStream.range(0, values.length)
                .mapToObj(i -> attempt.draft().tensor(parameters.get(i).name().substring(1), values[i],
                        parameters.get(i).shape()))
                .toList();
        return layer(kind, op, x.type(), x.batch(), List.of(x), tensors);
    }

    private List<Integer> withBatch(List<Integer> sample, int batch) {
        if (batch < 0) {
            return sample;
        }
        List<Integer> sizes = new ArrayList<>(sample);
        sizes.add(batch, samples());
        return sizes;
    }

    /** The place of a value in the network; a constant gets a node. */
    int place(OnnxValue x) {
        return x.isConstant() ? attempt.constant(x) : x.place();
    }

    /** The node that gives a computed value. */
    OnnxDraft.Step step(OnnxValue x) {
        return attempt.draft().step(x.place());
    }

    OnnxDraft draft() {
        return attempt.draft();
    }

    /** The elements of a sample in another shape of as many. */
    OnnxValue reshaped(OnnxValue x, List<Integer> sample, int batch) {
        List<Integer> sizes = withBatch(sample, batch);
        if (x.isConstant()) {
            OnnxConstant made = x.constant().reshaped(sample.stream().mapToLong(Integer::longValue).toArray());
            if (OnnxConstant.count("a constant", made.shape()) != made.count()) {
                throw refuse("gives values of shape " + x.sizes() + " the shape " + sizes);
            }
            return new OnnxValue(made, made, -1, x.type(), sizes, batch);
        }
        Shape to = new Shape(sample);
        int from = x.place();
        while (step(from).op() instanceof TensorOp.Reshape || step(from).op() instanceof Op.Flatten) {
            from = step(from).inputs().getFirst();
        }
        if (to.equals(step(x.place()).output())) {
            from = x.place();
        }
        boolean same = to.equals(step(from).output());
        int place = same ? from
                : to.rank() == 1 && to.equals(step(from).output().flat())
                        ? draft().add("flatten", new Op.Flatten(), List.of(from), List.of())
                        : draft().add("reshape", new TensorOp.Reshape(to), List.of(from), List.of());
        return OnnxValue.computed(place, x.type(), sizes, batch);
    }

    private OnnxDraft.Step step(int place) {
        return attempt.draft().step(place);
    }

    /** Whether exactly one operator reads the first output of this one, and that is of such a kind. */
    boolean isReadOnlyBy(String operator) {
        return readers(node.output()).map(OnnxNode::operator).toList().equals(List.of(operator));
    }

    /** Whether this operator alone reads an input, so that the node that gives it may be changed. */
    boolean readsAlone(int index) {
        return attempt.isReadOnce(node.input(index));
    }

    /** The operator that alone reads the first output of this one, or null. */
    OnnxNode reader() {
        List<OnnxNode> readers = readers(node.output()).toList();
        return readers.size() == 1 ? readers.getFirst() : null;
    }

    /** Operators that read a value; the graph itself counts as one whose kind is empty. */
    private Stream<OnnxNode> readers(String value) {
        return attempt.readers(value).stream();
    }

    /** Whether a value of the graph depends on nothing that the network is given. */
    boolean isConstant(String name) {
        return attempt.isConstant(name);
    }

    static long product(List<Integer> sizes, int from, int to) {
        long product = 1;
        for (int size : sizes.subList(from, to)) {
            product = Math.multiplyExact(product, size);
        }
        return product;
    }
}
