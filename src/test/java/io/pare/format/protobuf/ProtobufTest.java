package io.pare.format.protobuf;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.pare.file.FormatException;
import io.pare.format.protobuf.Protobuf.Numbers;
import io.pare.format.protobuf.Protobuf.Reader;
import io.pare.format.protobuf.Protobuf.Writer;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProtobufTest {
    private static Reader reader(String hex) {
        return new Reader(HexFormat.of().parseHex(hex));
    }

    @Test
    void whatIsWrittenIsRead() {
        long[] numbers = {0, 1, 127, 128, Long.MAX_VALUE, -1, Long.MIN_VALUE};
        Writer writer = new Writer();
        for (long number : numbers) {
            writer.number(536_870_911, number);
        }
        writer.decimal(2, -1.5f).text(3, "Größe").message(4, new Writer().number(1, 7));
        Reader reader = new Reader(writer.toByteArray());
        Numbers read = new Numbers();
        for (int i = 0; i < numbers.length; i++) {
            assertTrue(reader.next());
            assertEquals(536_870_911, reader.field());
            reader.numbers(read);
        }
        assertArrayEquals(numbers, read.toArray());
        assertTrue(reader.next());
        assertEquals(-1.5f, reader.decimal());
        assertTrue(reader.next());
        assertEquals("Größe", reader.text());
        assertTrue(reader.next());
        Reader inner = reader.message();
        assertTrue(inner.next());
        assertEquals(7, inner.number());
        assertFalse(inner.next());
        assertFalse(reader.next());
    }

    /** The examples of the format's description: 150, "testing", packed 3, 270, 86942. */
    @Test
    void publishedExamplesAreRead() {
        Reader number = reader("089601");
        assertTrue(number.next());
        assertEquals(150, number.number());
        Reader text = reader("120774657374696e67");
        assertTrue(text.next());
        assertEquals("testing", text.text());
        Reader packed = reader("3206038e029ea705");
        assertTrue(packed.next());
        Numbers numbers = new Numbers();
        packed.numbers(numbers);
        assertArrayEquals(new long[]{3, 270, 86942}, numbers.toArray());
    }

    /** Cut numbers, numbers of more than 64 bits, lengths past the end, field 0, groups, types that do not exist. */
    @ParameterizedTest
    @ValueSource(strings = {"08", "0880", "08ffffffffffffffffffff01", "12", "1205", "120541", "12ffffffffffffffffff01",
        "12ffffffff0741", "0001", "0b", "0c", "0e", "0f", "0d000000", "0900000000000000", "80808080800101"})
    void damagedFieldsAreRefused(String hex) {
        Reader reader = reader(hex);
        assertThrows(FormatException.class, reader::next);
    }

    @Test
    void aMessageEndsWhereItsLengthSays() {
        Reader reader = reader("0a020880" + "1001");
        assertTrue(reader.next());
        Reader inner = reader.message();
        assertThrows(FormatException.class, inner::next);
        assertTrue(reader.next());
        assertEquals(1, reader.number());
    }

    @Test
    void valuesOfAnotherTypeAreRefused() {
        Reader number = reader("0801");
        assertTrue(number.next());
        assertThrows(FormatException.class, number::text);
        assertThrows(FormatException.class, number::message);
        assertThrows(FormatException.class, number::decimal);
        assertThrows(FormatException.class, number::bytes);
        assertThrows(FormatException.class, number::buffer);
        Reader text = reader("0a0141");
        assertTrue(text.next());
        assertThrows(FormatException.class, text::number);
    }
}
