//! Plain data to bytes and back, for messages between the two programs of the page: small code, small messages.
//!
//! Numbers are LEB128, texts and lists are preceded by their length. Bytes that mean nothing are `None`, never a panic.

use std::rc::Rc;

/// What can be sent.
pub trait Wire: Sized {
    /// Appends this.
    fn put(&self, out: &mut Vec<u8>);
    /// Takes one from the front.
    fn take(from: &mut &[u8]) -> Option<Self>;

    fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.put(&mut out);
        out
    }

    /// Of bytes that hold one and nothing else.
    fn from_bytes(mut bytes: &[u8]) -> Option<Self> {
        let res = Self::take(&mut bytes)?;
        bytes.is_empty().then_some(res)
    }
}

impl Wire for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push((rest & 0x7f) as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn take(from: &mut &[u8]) -> Option<u64> {
        let mut res = 0;
        for shift in (0..64).step_by(7) {
            let (first, rest) = from.split_first()?;
            *from = rest;
            res |= u64::from(first & 0x7f) << shift;
            if first & 0x80 == 0 {
                return Some(res);
            }
        }
        None
    }
}

macro_rules! smaller {
    ($($number:ty)*) => {$(
        impl Wire for $number {
            fn put(&self, out: &mut Vec<u8>) {
                u64::from(*self).put(out);
            }

            fn take(from: &mut &[u8]) -> Option<$number> {
                u64::take(from)?.try_into().ok()
            }
        }
    )*};
}

smaller!(u8 u16 u32);

impl Wire for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        (((self << 1) ^ (self >> 63)) as u64).put(out);
    }

    fn take(from: &mut &[u8]) -> Option<i64> {
        let it = u64::take(from)?;
        Some(((it >> 1) as i64) ^ -((it & 1) as i64))
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(from: &mut &[u8]) -> Option<bool> {
        Some(u8::take(from)? != 0)
    }
}

fn take_bytes<'a>(from: &mut &'a [u8]) -> Option<&'a [u8]> {
    let len = usize::try_from(u64::take(from)?).ok()?;
    let (res, rest) = from.split_at_checked(len)?;
    *from = rest;
    Some(res)
}

impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        out.extend_from_slice(self.as_bytes());
    }

    fn take(from: &mut &[u8]) -> Option<String> {
        String::from_utf8(take_bytes(from)?.to_vec()).ok()
    }
}

/// Bytes as they are; a list of numbers would look at each.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Bytes(pub Vec<u8>);

impl Wire for Bytes {
    fn put(&self, out: &mut Vec<u8>) {
        (self.0.len() as u64).put(out);
        out.extend_from_slice(&self.0);
    }

    fn take(from: &mut &[u8]) -> Option<Bytes> {
        Some(Bytes(take_bytes(from)?.to_vec()))
    }
}

impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        self.iter().for_each(|it| it.put(out));
    }

    fn take(from: &mut &[u8]) -> Option<Vec<T>> {
        // Grows as items come: a length is not to be trusted.
        (0..u64::take(from)?).map(|_| T::take(from)).collect()
    }
}

impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(it) = self {
            it.put(out);
        }
    }

    fn take(from: &mut &[u8]) -> Option<Option<T>> {
        if bool::take(from)? { Some(Some(T::take(from)?)) } else { Some(None) }
    }
}

impl<T: Wire> Wire for Rc<T> {
    fn put(&self, out: &mut Vec<u8>) {
        T::put(self, out);
    }

    fn take(from: &mut &[u8]) -> Option<Rc<T>> {
        T::take(from).map(Rc::new)
    }
}

impl<A: Wire, B: Wire> Wire for (A, B) {
    fn put(&self, out: &mut Vec<u8>) {
        self.0.put(out);
        self.1.put(out);
    }

    fn take(from: &mut &[u8]) -> Option<(A, B)> {
        Some((A::take(from)?, B::take(from)?))
    }
}

/// Declares structs, and enums whose variants have numbers, together with how they are sent.
#[macro_export]
macro_rules! wire {
    () => {};
    ($(#[$meta:meta])* pub struct $name:ident { $($(#[$doc:meta])* pub $field:ident: $type:ty,)* } $($rest:tt)*) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Debug, Default)]
        pub struct $name { $($(#[$doc])* pub $field: $type,)* }

        impl $crate::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $($crate::wire::Wire::put(&self.$field, out);)*
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                Some($name { $($field: $crate::wire::Wire::take(from)?,)* })
            }
        }

        $crate::wire!($($rest)*);
    };
    ($(#[$meta:meta])* pub enum $name:ident {
        $($(#[$doc:meta])* $number:literal => $variant:ident $({ $($field:ident: $type:ty),* $(,)? })?,)*
    } $($rest:tt)*) => {
        $(#[$meta])*
        #[derive(Clone, PartialEq, Eq, Debug)]
        pub enum $name { $($(#[$doc])* $variant $({ $($field: $type),* })?,)* }

        impl $crate::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                match self {
                    $($name::$variant $({ $($field),* })? => {
                        out.push($number);
                        $($($crate::wire::Wire::put($field, out);)*)?
                    })*
                }
            }

            fn take(from: &mut &[u8]) -> Option<Self> {
                match u8::take(from)? {
                    $($number => Some($name::$variant $({ $($field: $crate::wire::Wire::take(from)?),* })?),)*
                    _ => None,
                }
            }
        }

        $crate::wire!($($rest)*);
    };
}

#[cfg(test)]
mod tests {
    use super::{Bytes, Wire};

    crate::wire! {
        pub struct Inner {
            pub name: String,
            pub amounts: Vec<i64>,
        }

        pub enum Outer {
            0 => Nothing,
            1 => Some { inner: Inner, flag: bool, number: u16 },
        }
    }

    fn some() -> Outer {
        let amounts = vec![0, -1, 1, i64::MIN, i64::MAX];
        Outer::Some { inner: Inner { name: "żółw".to_owned(), amounts }, flag: true, number: 300 }
    }

    #[test]
    fn what_is_sent_arrives() {
        for it in [Outer::Nothing, some()] {
            assert_eq!(Outer::from_bytes(&it.to_bytes()), Some(it));
        }
        assert_eq!(u64::from_bytes(&u64::MAX.to_bytes()), Some(u64::MAX));
        let bytes = Bytes(vec![0, 0x80, 0xff]);
        assert_eq!(bytes.to_bytes(), [3, 0, 0x80, 0xff]);
        assert_eq!(Bytes::from_bytes(&bytes.to_bytes()), Some(bytes));
        assert_eq!(
            <Option<(u8, String)>>::from_bytes(&Some((7_u8, "x".to_owned())).to_bytes()),
            Some(Some((7, "x".into())))
        );
    }

    #[test]
    fn broken_bytes_are_refused() {
        let bytes = some().to_bytes();
        for len in 0..bytes.len() {
            assert_eq!(Outer::from_bytes(&bytes[..len]), None);
        }
        assert_eq!(Outer::from_bytes(&[9]), None);
        assert_eq!(u16::from_bytes(&70_000_u64.to_bytes()), None);
        assert_eq!(String::from_bytes(&[2, 0xff, 0xff]), None);
        assert_eq!(Vec::<u64>::from_bytes(&u64::MAX.to_bytes()), None);
    }
}
