package io.pare.format.pytorch;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;

/** Writes the opcodes of a pickle one by one, sensible or not. */
final class PickleWriter {
    private final ByteArrayOutputStream out = new ByteArrayOutputStream();

    PickleWriter(int protocol) {
        op(0x80).op(protocol);
    }

    /** One byte: an opcode or an argument. */
    PickleWriter op(int value) {
        out.write(value);
        return this;
    }

    PickleWriter ops(String codes) {
        out.writeBytes(codes.getBytes(StandardCharsets.ISO_8859_1));
        return this;
    }

    PickleWriter int32(int value) {
        out.writeBytes(ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(value).array());
        return this;
    }

    PickleWriter int64(long value) {
        out.writeBytes(ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array());
        return this;
    }

    /** An integer by BININT, or by LONG1 if it is too large for that. */
    PickleWriter number(long value) {
        return (int) value == value ? op('J').int32((int) value) : op(0x8a).op(8).int64(value);
    }

    PickleWriter text(String text) {
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        op('X').int32(bytes.length);
        out.writeBytes(bytes);
        return this;
    }

    /** A class or function by GLOBAL. */
    PickleWriter global(String module, String name) {
        return ops("c" + module + "\n" + name + "\n");
    }

    /** A tuple of integers. */
    PickleWriter tuple(long... values) {
        op('(');
        for (long value : values) {
            number(value);
        }
        return op('t');
    }

    /** Begins an OrderedDict: keys and values follow, then {@link #endDict}. */
    PickleWriter dict() {
        return global("collections", "OrderedDict").ops(")R(");
    }

    PickleWriter endDict() {
        return op('u');
    }

    /** The persistent id of a storage. */
    PickleWriter storage(String type, String key, long count) {
        return op('(').text("storage").global("torch", type).text(key).text("cpu").number(count).ops("tQ");
    }

    /** A tensor as PyTorch writes it. */
    PickleWriter tensor(String type, String key, long count, long offset, long[] shape, long[] steps) {
        return global("torch._utils", "_rebuild_tensor_v2").op('(').storage(type, key, count).number(offset)
                .tuple(shape).tuple(steps).op(0x89).dict().endDict().ops("tR");
    }

    /** The pickle, ended. */
    byte[] end() {
        return op('.').bytes();
    }

    byte[] bytes() {
        return out.toByteArray();
    }
}
