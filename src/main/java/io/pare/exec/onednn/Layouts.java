package io.pare.exec.onednn;

import io.pare.dnnl.Addition;
import io.pare.dnnl.Arg;
import io.pare.dnnl.DataType;
import io.pare.dnnl.DnnlMemory;
import io.pare.dnnl.Execution;
import io.pare.dnnl.MemoryDesc;
import io.pare.dnnl.Primitive;
import io.pare.dnnl.Reorder;
import io.pare.dnnl.Scratchpad;
import io.pare.exec.Buffer;
import io.pare.exec.Building;
import io.pare.exec.Operation;
import io.pare.exec.Source;
import io.pare.exec.Value;
import io.pare.mem.FloatTensor;
import io.pare.mem.Region;
import io.pare.net.Op;
import java.util.ArrayList;
import java.util.List;

/**
 * Memory in the layouts that the primitives of one tape choose, and conversions between them.
 *
 * <p>A value stays in the layout of the primitive that made it. It is converted only where its reader wants another.
 */
final class Layouts {
    private final Building building;
    private final Region region;
    private final DataType type;
    private int reorders;

    Layouts(Building building, DataType type) {
        this.building = building;
        this.region = building.region();
        this.type = type;
    }

    Building building() {
        return building;
    }

    Region region() {
        return region;
    }

    /** In which convolutions and products compute; what stands between them computes in that of its input. */
    DataType type() {
        return type;
    }

    /** How many conversions the compiled steps run, at most, in one pass. */
    int reorders() {
        return reorders;
    }

    boolean isBlocked(Value node) {
        return building.value(node) instanceof BlockedBuffer;
    }

    boolean isChannelsLast(DnnlMemory memory) {
        long[] dims = memory.desc().dims();
        return dims.length == 4 && memory.desc().type() == DataType.F32
                && memory.desc().sameAs(MemoryDesc.channelsLast(region, dims[0], dims[1], dims[2], dims[3]));
    }

    /** The function of each value that is the only reader of the node, which its step computes as well; else the node. */
    Value withActivation(Value node) {
        if (building.training()) {
            return building.withRelu(node);
        }
        Value reader = building.onlyReader(node);
        return Activations.of(reader) == null ? node : reader;
    }

    /**
     * The addition that is the only reader of the node, if nothing comes back and its other input is there already, in
     * the layout of a primitive; its step computes it as well. Else the node.
     */
    Value withAddition(Value node) {
        Value reader = building.onlyReader(node);
        return !building.training() && reader.op() instanceof Operation.Apply(Op.Add _)
                && isBlocked(other(reader, node)) ? reader : node;
    }

    /** The input of an addition that is not the given one. */
    static Value other(Value addition, Value input) {
        return addition.input(0) == input ? addition.input(1) : addition.input(0);
    }

    /** A value as primitives take it. */
    DnnlSource value(Value node) {
        return source(building.value(node), node);
    }

    /** Buffers of other backends are read row-major. */
    private DnnlSource source(Buffer buffer, Value node) {
        if (buffer instanceof Buffer.Plain || buffer instanceof BlockedBuffer) {
            return DnnlSource.of(memory(buffer));
        }
        Source plain = buffer.plain(building, node);
        return new DnnlSource(DnnlMemory.over(region, plain.tensor()), plain.refresh());
    }

    /** What lies in a buffer that {@link #allocate(Value, MemoryDesc)} has made, or that is row-major. */
    DnnlMemory memory(Buffer buffer) {
        return switch (buffer) {
            case Buffer.Plain(FloatTensor tensor) -> DnnlMemory.over(region, tensor);
            case BlockedBuffer blocked -> blocked.memory();
            default -> throw new AssertionError("no oneDNN memory: " + buffer);
        };
    }

    /** Row-major copy of memory in another layout. */
    Source toPlain(DnnlMemory memory, Value node) {
        FloatTensor tensor = building.tensor(node.shape());
        return new Source(tensor, convert(memory, DnnlMemory.over(region, tensor))::run);
    }

    Execution convert(DnnlMemory from, DnnlMemory to) {
        reorders++;
        return Reorder.between(region, scratchpad(), from, to);
    }

    /** The same numbers in a layout that a primitive wants. */
    DnnlSource read(DnnlSource from, MemoryDesc wanted) {
        if (from.memory().desc().sameAs(wanted)) {
            return from;
        }
        DnnlMemory converted = allocate(wanted, null);
        Execution conversion = convert(from.memory(), converted);
        return new DnnlSource(converted, from.refresh() == Source.NOTHING ? conversion::run : () -> {
            from.refresh().run();
            conversion.run();
        });
    }

    /** As {@link #read}, of a parameter: converted once where it never changes. */
    DnnlSource parameter(DnnlMemory from, MemoryDesc wanted) {
        if (!building.frozen() || from.desc().sameAs(wanted)) {
            return read(DnnlSource.of(from), wanted);
        }
        DnnlMemory kept = DnnlMemory.over(region, wanted, building.keep(wanted.sizeBytes()));
        building.once(Reorder.between(region, from, kept)::run);
        return DnnlSource.of(kept);
    }

    /**
     * As {@link #read}, in the backward pass: what the forward pass has read serves again if the layout is right.
     *
     * @param from what it was read from
     */
    DnnlSource again(DnnlSource before, DnnlMemory from, MemoryDesc wanted) {
        return before.memory().desc().sameAs(wanted)
                ? DnnlSource.of(before.memory())
                : read(DnnlSource.of(from), wanted);
    }

    /** The node's whole gradient: the sum of what each of its readers contributes. */
    DnnlSource gradient(Value node, MemoryDesc wanted) {
        List<DnnlSource> parts =
                building.contributions(node).stream().map(part -> read(source(part, node), wanted)).toList();
        if (parts.size() == 1) {
            return parts.getFirst();
        }
        DnnlMemory sum = allocate(wanted, null);
        Primitive addition = new Addition(region, wanted, null).forward();
        List<Runnable> work = new ArrayList<>(List.of(parts.getFirst().refresh()));
        DnnlMemory soFar = parts.getFirst().memory();
        for (DnnlSource part : parts.subList(1, parts.size())) {
            work.add(part.refresh());
            work.add(addition.bind(scratchpad()).with(Arg.SRC, soFar).with(Arg.SRC_1, part.memory()).with(Arg.DST, sum)
                    .prepare()::run);
            soFar = sum;
        }
        Runnable[] all = work.toArray(Runnable[]::new);
        return new DnnlSource(sum, () -> {
            for (Runnable each : all) {
                each.run();
            }
        });
    }

    Buffer blocked(DnnlMemory memory) {
        return new BlockedBuffer(memory, this);
    }

    /** Memory for a value or a gradient of {@code node} in a primitive's layout; row-major memory stays a tensor. */
    Buffer allocate(Value node, MemoryDesc desc) {
        return allocate(node, desc, null);
    }

    /** As {@link #allocate(Value, MemoryDesc)}, in place of memory that the step has no more use for. */
    Buffer allocate(Value node, MemoryDesc desc, DnnlMemory replaced) {
        DnnlMemory memory = allocate(desc, replaced);
        return desc.isPlain() ? new Buffer.Plain(new FloatTensor(memory.data(), node.shape())) : blocked(memory);
    }

    DnnlMemory allocate(MemoryDesc desc, DnnlMemory replaced) {
        return DnnlMemory.over(region, desc,
                building.allocate(desc.sizeBytes(), replaced == null ? null : replaced.data()));
    }

    /** What a primitive keeps from the forward pass for the backward one; {@code null} for nothing. */
    DnnlMemory workspace(Primitive primitive) {
        return primitive.has(Arg.WORKSPACE) ? allocate(primitive.desc(Arg.WORKSPACE), null) : null;
    }

    /** Working memory of the step that is being built. */
    Scratchpad scratchpad() {
        return new Scratchpad(building::scratch, building::uses);
    }

    static boolean sameMemory(DnnlMemory one, DnnlMemory other) {
        return one.data().address() == other.data().address();
    }

    static void bindIf(Primitive.Binding binding, Primitive primitive, Arg arg, DnnlMemory memory) {
        if (primitive.has(arg)) {
            binding.with(arg, memory);
        }
    }
}
